/* test_hostile.c - bad and hostile files against a real, sandboxed worker: one clear error each, and it lives on. */
#include "tests/unit/decode/decode_fixture.h"

#include <vips/vips.h>

#define BYTES(s) (s), sizeof(s) - 1

static void *photo(const char *suffix, size_t *ret_n)
{
	VipsImage *noise, *bytes, *rgb;
	void *p;
	assert_int_equal(vips_gaussnoise(&noise, 320, 240, "mean", 128.0, "sigma", 40.0, NULL), 0);
	assert_int_equal(vips_cast_uchar(noise, &bytes, NULL), 0);
	VipsImage *three[] = { bytes, bytes, bytes };
	assert_int_equal(vips_bandjoin(three, &rgb, 3, NULL), 0);
	assert_int_equal(vips_image_write_to_buffer(rgb, suffix, &p, ret_n, NULL), 0);
	g_object_unref(noise);
	g_object_unref(bytes);
	g_object_unref(rgb);
	return p;
}

static void assert_lives_on(struct decode_pool *p)
{
	size_t n;
	void *jpeg = photo(".jpg", &n);
	struct decode_result r;
	struct err err;
	struct decode_stats stats;
	assert_int_equal(run(p, jpeg, n, &r, &err), 0);
	assert_true(r.decoded);
	decode_pool_stats(p, &stats);
	assert_int_equal(stats.deaths + stats.timeouts, 0);
	decode_result_done(&r);
	g_free(jpeg);
}

static void put_u32(struct buf *b, uint32_t n)
{
	const uint8_t bytes[] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };
	buf_add(b, bytes, 4);
}

static uint32_t crc32_of(const void *p, size_t n)
{
	const uint8_t *bytes = p;
	uint32_t crc = 0xffffffff;
	for (size_t i = 0; i < n; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static void put_chunk(struct buf *png, const char *type, const void *p, size_t n)
{
	put_u32(png, (uint32_t)n);
	size_t start = png->len;
	buf_add(png, type, 4);
	buf_add(png, p, n);
	put_u32(png, crc32_of(png->data + start, png->len - start));
}

/* A PNG that promises width x height and holds almost nothing. */
static struct buf png_of(uint32_t width, uint32_t height)
{
	struct buf png = { 0 };
	struct buf ihdr = { 0 };
	buf_add(&png, "\x89PNG\r\n\x1a\n", 8);
	put_u32(&ihdr, width);
	put_u32(&ihdr, height);
	buf_add(&ihdr, "\x08\x02\0\0\0", 5);
	put_chunk(&png, "IHDR", ihdr.data, ihdr.len);
	put_chunk(&png, "IDAT", "\x78\x9c\x03\0\0\0\0\x01", 8);
	put_chunk(&png, "IEND", "", 0);
	buf_done(&ihdr);
	return png;
}

static void test_huge_png_is_refused_from_its_header(void **state)
{
	CLEANUP(buf_done) struct buf png = png_of(60000, 60000);
	assert_rejected(*state, png.data, png.len,
			"60000 x 60000 pixels in 1 frame are more than limits.pixels (100000000)");
	assert_lives_on(*state);
}

static void test_memory_over_a_decoders_is_refused_before_it_is_used(void **state)
{
	(void)state;
	CLEANUP(freep) char *worker = real_worker();
	struct decode_options o = default_options(worker);
	o.memory_bytes = 128ULL << 20;
	struct decode_pool *p = open_pool(&o);
	CLEANUP(buf_done) struct buf png = png_of(9000, 9000);
	assert_rejected(p, png.data, png.len, "MiB of memory, more than a decoder may use (128 MiB)");
	assert_lives_on(p);
	decode_pool_close(p);
}

static void test_truncated_images_say_so(void **state)
{
	static const char *const suffixes[] = { ".jpg", ".png", ".webp", ".tif" };
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t n;
		void *p = photo(suffixes[i], &n);
		CLEANUP(freep) char *where = mem_printf(i < 2 ? "its data end at byte %zu" : "not ", n / 2);
		assert_rejected(*state, p, n / 2, where);
		g_free(p);
	}
	assert_lives_on(*state);
}

static void test_every_cut_of_a_file_is_survived(void **state)
{
	static const char *const suffixes[] = { ".jpg", ".png", ".webp", ".gif", ".tif" };
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t n;
		void *p = photo(suffixes[i], &n);
		for (size_t cut = 1; cut < n; cut += n / 23 + 1) {
			struct decode_result r;
			struct err err;
			if (run(*state, p, cut, &r, &err) < 0)
				assert_int_equal(err.class, ERR_REJECT);
			decode_result_done(&r);
		}
		g_free(p);
	}
	assert_lives_on(*state);
}

static void test_noise_behind_every_magic_is_survived(void **state)
{
	static const struct {
		const char *head;
		size_t n;
	} heads[] = {
		{ BYTES("\xff\xd8\xff\xe0\0\x10JFIF\0") },
		{ BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR") },
		{ BYTES("GIF89a") },
		{ BYTES("RIFF\x00\x10\0\0WEBPVP8 ") },
		{ BYTES("II*\0\x08\0\0\0") },
		{ BYTES("MM\0*\0\0\0\x08") },
		{ BYTES("\0\0\0\x18\x66typheic") },
		{ BYTES("\0\0\0\x18\x66typavif") },
		{ BYTES("BM") },
		{ BYTES("%PDF-1.7\n") },
		{ BYTES("ID3\x03") },
		{ BYTES("OggS") },
		{ BYTES("\0\0\0\x20\x66typisom") },
		{ BYTES("<?xml version=\"1.0\"?>") },
		{ BYTES("\xff\xfe") },
	};
	uint8_t bytes[4096];
	uint32_t seed = 1;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		for (int round = 0; round < 8; round++) {
			for (size_t k = 0; k < sizeof(bytes); k++)
				bytes[k] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
			memcpy(bytes, heads[i].head, heads[i].n);
			struct decode_result r;
			struct err err;
			if (run(*state, bytes, sizeof(bytes), &r, &err) < 0)
				assert_int_equal(err.class, ERR_REJECT);
			decode_result_done(&r);
		}
	}
	assert_lives_on(*state);
}

static void test_gif_bomb_is_refused(void **state)
{
	/* 65,535 x 65,535 in a few bytes. */
	static const char gif[] =
		"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\x02\x02L\x01\0;";
	assert_rejected(*state, BYTES(gif), "limits.pixels");
	assert_lives_on(*state);
}

static void test_frames_are_summed(void **state)
{
	(void)state;
	CLEANUP(freep) char *worker = real_worker();
	struct decode_options o = default_options(worker);
	struct buf gif = { 0 };
	o.max_pixels = 10000;
	struct decode_pool *p = open_pool(&o);
	buf_add(&gif, BYTES("GIF89a\x40\0\x40\0\x80\0\0\0\0\0\xff\xff\xff"));
	for (int i = 0; i < 3; i++) /* 64 x 64 = 4,096 a frame */
		buf_add(&gif, BYTES("!\xf9\x04\0\x0a\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02"
				    "D\x01\0"));
	buf_char(&gif, ';');
	assert_rejected(p, gif.data, gif.len, "64 x 64 pixels in 3 frames");
	buf_done(&gif);
	decode_pool_close(p);
}

static void test_svg_is_refused(void **state)
{
	static const char *const svgs[] = {
		"<svg xmlns=\"http://www.w3.org/2000/svg\"><image href=\"file:///etc/passwd\"/></svg>",
		"<?xml version=\"1.0\"?>\n<!-- one -->\n<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" "
		"\"x\">\n<svg></svg>",
		"\n\n  <svg width='1'><script>alert(1)</script></svg>",
	};
	for (size_t i = 0; i < sizeof(svgs) / sizeof(svgs[0]); i++)
		assert_rejected(*state, svgs[i], strlen(svgs[i]), "content is image/svg+xml: an SVG");
}

static void test_archives_and_programs_are_refused(void **state)
{
	/* a.txt, stored: "hello" */
	static const char zip[] = "PK\x03\x04\x14\x00\x00\x00\x00\x00\x00\x00!\x00\x86\xa6\x10"
				  "6\x05\x00\x00\x00\x05\x00\x00\x00\x05\x00\x00\x00"
				  "a.txthello"
				  "PK\x01\x02\x14\x03\x14\x00\x00\x00\x00\x00\x00\x00!\x00\x86\xa6\x10"
				  "6\x05\x00\x00\x00\x05\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
				  "\x80\x01\x00\x00\x00\x00"
				  "a.txt"
				  "PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00"
				  "3\x00\x00\x00(\x00\x00\x00\x00\x00";
	static const char gzip[] = "\x1f\x8b\x08\0\0\0\0\0\0\x03+I-.\x01\0";
	CLEANUP(buf_done) struct buf self = { 0 };
	FILE *f = fopen("/proc/self/exe", "re");
	assert_non_null(f);
	(void)buf_grow(&self, 8192);
	self.len = fread(self.data, 1, 8192, f);
	(void)fclose(f);
	assert_rejected(*state, BYTES(zip), "content is application/zip: an archive");
	assert_rejected(*state, BYTES(gzip), "content is application/gzip: an archive");
	assert_rejected(*state, self.data, self.len, "a program, not a file to label");
}

static void test_empty_file_is_refused(void **state)
{
	assert_rejected(*state, "", 0, "the file is empty (0 bytes)");
}

static void test_media_without_a_decoder_are_parked(void **state)
{
	static const char pdf[] = "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n";
	static const char wav[] =
		"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80>\0\0\0}\0\0\x02\0\x10\0data\0\0\0\0";
	struct decode_result r;
	struct err err;
	assert_int_equal(run(*state, BYTES(pdf), &r, &err), 0);
	assert_false(r.decoded);
	assert_string_equal(r.media_type, "application/pdf");
	assert_int_equal(r.media, MEDIA_OTHER);
	decode_result_done(&r);
	assert_int_equal(run(*state, BYTES(wav), &r, &err), 0);
	assert_false(r.decoded);
	assert_int_equal(r.media, MEDIA_AUDIO);
	decode_result_done(&r);
}

static void test_large_media_without_a_decoder_are_parked_by_their_head(void **state)
{
	(void)state;
	CLEANUP(freep) char *worker = real_worker();
	struct decode_options o = default_options(worker);
	o.max_bytes = 4096;
	struct decode_pool *p = open_pool(&o);
	size_t n = 3 * 1024 * 1024;
	CLEANUP(freep) char *mp4 = mem_zero(1, n);
	memcpy(mp4, "\0\0\0\x20\x66typisom\0\0\x02\0isomiso2avc1mp41", 32);
	struct decode_result r;
	struct err err;
	assert_int_equal(run(p, mp4, n, &r, &err), 0);
	assert_false(r.decoded);
	assert_int_equal(r.media, MEDIA_VIDEO);
	decode_result_done(&r);
	size_t jpeg_bytes;
	void *jpeg = photo(".jpg", &jpeg_bytes);
	assert_rejected(p, jpeg, jpeg_bytes, "larger than limits.decode (4096)");
	g_free(jpeg);
	decode_pool_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_huge_png_is_refused_from_its_header),
		cmocka_unit_test(test_memory_over_a_decoders_is_refused_before_it_is_used),
		cmocka_unit_test(test_truncated_images_say_so),
		cmocka_unit_test(test_every_cut_of_a_file_is_survived),
		cmocka_unit_test(test_noise_behind_every_magic_is_survived),
		cmocka_unit_test(test_gif_bomb_is_refused),
		cmocka_unit_test(test_frames_are_summed),
		cmocka_unit_test(test_svg_is_refused),
		cmocka_unit_test(test_archives_and_programs_are_refused),
		cmocka_unit_test(test_empty_file_is_refused),
		cmocka_unit_test(test_media_without_a_decoder_are_parked),
		cmocka_unit_test(test_large_media_without_a_decoder_are_parked_by_their_head),
	};
	if (vips_init("test_hostile") != 0)
		return 1;
	vips_concurrency_set(1);
	int failed = cmocka_run_group_tests_name("decode hostile files", tests, setup_real_pool, teardown_pool);
	vips_shutdown();
	return failed;
}
