/* test_model.c - cards and models together: real photographs and texts, batches of every kind, what does not fit. */
#include "daemon/infer/model.h"

#include "daemon/base/file.h"
#include "tests/unit/infer/real.h"
#include "tests/unit/put_file.h"

#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <vips/vips.h>

static struct model *open_card(const char *card)
{
	struct model *m = NULL;
	struct err err = { 0 };
	struct backend_options o = real_options();
	if (model_open(card, &o, &m, &err) < 0)
		fail_msg("%s", err.text);
	return m;
}

/* A card beside nothing: its paths are absolute. */
struct fixture {
	char dir[32], card[64], data[PATH_MAX];
};

static int set_up(void **state)
{
	struct fixture *f = mem_zero(1, sizeof(*f));
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/test_model.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->card, sizeof(f->card), "%s/card.yaml", f->dir);
	assert_non_null(realpath("tests/data/onnx", f->data));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	(void)unlink(f->card);
	(void)rmdir(f->dir);
	free(f);
	return 0;
}

static void write_card(const struct fixture *f, const char *model, const char *rest)
{
	CLEANUP(freep) char *text = mem_printf("name: tiny\nfile: %s/%s.onnx\n%s", f->data, model, rest);
	put_file(AT_FDCWD, f->card, slice_of(text), 0600);
}

#define COLOURS "media: image\nlabels: [red, green, blue]\n"
#define SMALL COLOURS "input: {width: 4, height: 4}\n"

static struct model *tiny(const struct fixture *f, const char *model, const char *rest)
{
	write_card(f, model, rest);
	return open_card(f->card);
}

static void refused(const struct fixture *f, const char *model, const char *rest, const char *why)
{
	struct model *m = NULL;
	struct err err = { 0 };
	struct backend_options o = real_options();
	write_card(f, model, rest);
	assert_int_equal(model_open(f->card, &o, &m, &err), -1);
	assert_null(m);
	assert_int_equal(err.class, ERR_REJECT);
	if (!strstr(err.text, why))
		fail_msg("'%s' does not say '%s'", err.text, why);
}

/* As the decode worker makes them: centre crop of the short side, then bicubic. */
static uint8_t *photo(const char *name, const struct pixel_spec *spec)
{
	CLEANUP(freep) char *path = mem_printf("tests/data/photos/%s.jpg", name);
	VipsImage *whole = vips_image_new_from_file(path, NULL), *square, *small;
	if (!whole)
		fail_msg("%s", vips_error_buffer());
	int w = vips_image_get_width(whole), h = vips_image_get_height(whole);
	int side = (int)lroundf((float)(w < h ? w : h) * spec->crop);
	assert_int_equal(vips_extract_area(whole, &square, (w - side) / 2, (h - side) / 2, side, side, NULL), 0);
	assert_int_equal(vips_resize(square, &small, (double)spec->width / side, "kernel", VIPS_KERNEL_CUBIC, NULL), 0);
	size_t bytes = 0;
	void *pixels = vips_image_write_to_memory(small, &bytes);
	assert_int_equal(bytes, pixel_spec_bytes(spec));
	g_object_unref(whole);
	g_object_unref(square);
	g_object_unref(small);
	return pixels;
}

static bool best_is(const struct prediction *p, const char *concept)
{
	return p->count > 0 && slice_eq(p->scores[0].concept, slice_of(concept));
}

static double confidence_of(const struct prediction *p, const char *concept)
{
	for (size_t i = 0; i < p->count; i++)
		if (slice_eq(p->scores[i].concept, slice_of(concept)))
			return p->scores[i].confidence;
	return 0;
}

static void test_photographs_get_their_names(void **state)
{
	(void)state;
	CLEANUP(freep) char *card = real_model("image-default.yaml");
	free(real_model("image-default.onnx"));
	struct model *m = open_card(card);
	const struct model_info *info = model_info(m);
	assert_string_equal(info->name, "image-default");
	assert_int_equal(info->media, MEDIA_IMAGE);
	assert_int_equal(info->labels, 1000);
	assert_int_equal(info->pixels->width, 224);
	static const char *const names[] = { "cat", "coffee", "camera" };
	struct sample samples[9]; /* more than the backend takes in one run: each photograph three times, but under valgrind */
	struct prediction got[9];
	const size_t count = getenv("INLET_SLOW") ? 3 : 9;
	for (size_t i = 0; i < count; i++)
		samples[i] = i < 3 ? (struct sample){ .pixels = photo(names[i], info->pixels) } : samples[i - 3];
	struct err err = { 0 };
	assert_int_equal(model_run(m, count, samples, got, &err), 0);
	for (const struct prediction *p = got; p < got + count; p += 3) {
		double tabby = confidence_of(p, "tabby"), tiger = confidence_of(p, "tiger cat");
		assert_true(tabby + tiger + confidence_of(p, "Egyptian cat") > 0.8);
		assert_true(best_is(p + 1, "espresso"));
		assert_true(p[1].scores[0].confidence > 0.5F);
		assert_true(best_is(p + 2, "tripod"));
		assert_true(p[2].scores[0].confidence > 0.85F);
	}
	for (size_t i = 0; i < 3; i++)
		g_free((void *)(uintptr_t)samples[i].pixels);
	model_close(m);
}

/* The same sentence in languages of many scripts, and what a person would expect of capitals. */
static const struct {
	const char *language, *text;
} texts[] = {
	{ "en", "The ship left the harbour before sunrise." },
	{ "en", "THE SHIP LEFT THE HARBOUR BEFORE SUNRISE." },
	{ "de", "Das Schiff verließ den Hafen vor Sonnenaufgang." },
	{ "de", "DAS SCHIFF VERLIESS DEN HAFEN VOR SONNENAUFGANG ÜBER ÄUSSERST RUHIGE SEE." },
	{ "fr", "Le navire a quitté le port avant le lever du soleil." },
	{ "es", "El barco salió del puerto antes del amanecer." },
	{ "it", "La nave ha lasciato il porto prima dell'alba." },
	{ "pt", "O navio deixou o porto antes do nascer do sol." },
	{ "nl", "Het schip verliet de haven voor zonsopgang." },
	{ "sv", "Fartyget lämnade hamnen före soluppgången." },
	{ "pl", "Statek opuścił port przed wschodem słońca." },
	{ "cs", "Loď opustila přístav před východem slunce." },
	{ "hu", "A hajó napkelte előtt elhagyta a kikötőt." },
	{ "fi", "Laiva lähti satamasta ennen auringonnousua." },
	{ "tr", "Gemi gün doğmadan önce limandan ayrıldı." },
	{ "ru", "КОРАБЛЬ ПОКИНУЛ ГАВАНЬ ДО ВОСХОДА СОЛНЦА." },
	{ "uk", "Корабель залишив гавань до сходу сонця." },
	{ "el", "Το πλοίο έφυγε από το λιμάνι πριν την ανατολή." },
	{ "he", "הספינה עזבה את הנמל לפני הזריחה." },
	{ "hi", "जहाज सूर्योदय से पहले बंदरगाह से चला गया।" },
	{ "ja", "船は日の出前に港を出ました。" },
	{ "zh", "这艘船在日出之前离开了港口。" },
	{ "ko", "배는 해가 뜨기 전에 항구를 떠났습니다." },
	{ "vi", "Con tàu rời cảng trước khi mặt trời mọc." },
	{ "th", "เรือออกจากท่าก่อนพระอาทิตย์ขึ้น" },
};
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static void test_texts_get_their_language(void **state)
{
	(void)state;
	CLEANUP(freep) char *card = real_model("text-default.yaml");
	free(real_model("text-default.onnx"));
	struct model *m = open_card(card);
	assert_int_equal(model_info(m)->media, MEDIA_TEXT);
	assert_null(model_info(m)->pixels);
	assert_int_equal(model_info(m)->labels, 140);
	struct sample samples[TEXTS];
	struct prediction got[TEXTS];
	for (size_t i = 0; i < TEXTS; i++)
		samples[i] = (struct sample){ .text = slice_of(texts[i].text) };
	struct err err = { 0 };
	assert_int_equal(model_run(m, TEXTS, samples, got, &err), 0);
	for (size_t i = 0; i < TEXTS; i++)
		if (!best_is(&got[i], texts[i].language))
			fail_msg("'%s' is taken for %.*s", texts[i].text, (int)got[i].scores[0].concept.len,
				got[i].scores[0].concept.p);
	model_close(m);
}

/* py3langid 0.4.0 with norm_probs says the same of this sentence. */
static void test_a_language_has_the_packages_own_confidence(void **state)
{
	(void)state;
	CLEANUP(freep) char *card = real_model("text-default.yaml");
	struct model *m = open_card(card);
	struct sample s = { .text = SLICE_LIT("Hello world, how are you?") };
	struct prediction got;
	struct err err = { 0 };
	assert_int_equal(model_run(m, 1, &s, &got, &err), 0);
	assert_float_equal(confidence_of(&got, "en"), 0.668, 0.001);
	assert_float_equal(confidence_of(&got, "pcm"), 0.237, 0.001);
	model_close(m);
}

static void test_a_text_of_nothing_known_gets_no_scores(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(freep) char *card = real_model("text-default.yaml");
	CLEANUP(freep) char *relative = real_model("text-default.ngram.bin"), *table = realpath(relative, NULL);
	struct model *m = open_card(card);
	const struct sample s[] = { { .text = SLICE_LIT("") }, { .text = SLICE_LIT("\x01\x02") } };
	struct prediction got[2] = { { .count = 7 }, { .count = 7 } };
	struct err err = { 0 };
	assert_int_equal(model_run(m, 2, s, got, &err), 0);
	assert_int_equal(got[0].count, 0);
	assert_int_equal(got[1].count, 0);
	model_close(m);
	CLEANUP(freep) char *rest = mem_printf("media: text\nlabels: [x, y]\ntext: {table: %s}\n", table);
	refused(f, "text", rest, "a first run of "); /* a table of 100,054 features, a model of 3 */
}

/* Sample i is a picture of colour i % 3 only. */
static void fill(struct sample *samples, uint8_t (*pixels)[48], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		memset(pixels[i], 0, 48);
		for (size_t p = 0; p < 16; p++)
			pixels[i][3 * p + i % 3] = 9;
		samples[i] = (struct sample){ .pixels = pixels[i] };
	}
}

static void check_batches(struct model *m)
{
	static const char *const colours[] = { "red", "green", "blue" };
	static struct sample samples[BATCH_MAX];
	static uint8_t pixels[BATCH_MAX][48];
	static struct prediction got[BATCH_MAX];
	static const size_t sizes[] = { 1, 2, 4, 5, 31, BATCH_MAX };
	fill(samples, pixels, BATCH_MAX);
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		struct err err = { 0 };
		memset(got, 0, sizeof(got));
		assert_int_equal(model_run(m, sizes[s], samples, got, &err), 0);
		for (size_t i = 0; i < sizes[s]; i++)
			assert_true(best_is(&got[i], colours[i % 3]));
		assert_true(sizes[s] == BATCH_MAX || got[sizes[s]].count == 0);
	}
	model_close(m);
}

static void test_any_batch_of_an_open_model(void **state)
{
	check_batches(tiny(*state, "any", SMALL));
}

static void test_any_batch_of_a_model_of_one(void **state)
{
	check_batches(tiny(*state, "one", SMALL));
}

static void test_any_batch_of_a_model_of_four(void **state)
{
	check_batches(tiny(*state, "four", SMALL));
}

static void test_any_batch_of_a_packed_model(void **state)
{
	check_batches(tiny(*state, "nhwc", COLOURS "input: {width: 4, height: 4, layout: nhwc}\n"));
}

static void test_a_model_that_leaves_every_dimension_open(void **state)
{
	check_batches(tiny(*state, "open", SMALL));
	refused(*state, "open", "media: image\nlabels: [a, b]\ninput: {width: 4, height: 4}\n",
		"labels: 2 labels = output float32 [N,2]; the model's output 'logits' is [1,3]: give it 3 labels, or "
		"name another output");
}

static void test_a_named_output_is_the_one_decoded(void **state)
{
	struct model *m = tiny(*state, "two", SMALL "output: {name: against}\n");
	struct sample sample;
	uint8_t pixels[1][48];
	struct prediction got;
	struct err err = { 0 };
	fill(&sample, pixels, 1);
	assert_int_equal(model_run(m, 1, &sample, &got, &err), 0);
	assert_false(best_is(&got, "red"));
	model_close(m);
	refused(*state, "two", SMALL,
		"output.name: is needed, the model has several; the model's outputs are 'logits', 'against'");
	refused(*state, "two", SMALL "output: {name: logit}\n",
		"there is no 'logit'; the model's outputs are 'logits', 'against'");
}

static void test_shapes_that_do_not_fit_are_refused_with_both(void **state)
{
	refused(*state, "any", COLOURS "input: {width: 224, height: 224}\n",
		"the card says 224x224 NCHW = float32 [N,3,224,224]; the model's input 'images' is float32 [N,3,4,4]: "
		"set input.width to 4 "
		"and input.height to 4");
	refused(*state, "nhwc", SMALL, "the model's input 'images' is float32 [N,4,4,3]: set input.layout to nhwc");
	refused(*state, "bytes", SMALL, "the model's input 'images' is uint8 [N,3,4,4]");
	refused(*state, "text", SMALL, "media: image needs a model of one input");
	refused(*state, "any", "media: image\nlabels: [a, b, c, d]\ninput: {width: 4, height: 4}\n",
		"labels: 4 labels = output float32 [N,4]; the model's output 'logits' is [N,3]: give it 3 labels");
	refused(*state, "sequence", SMALL, "the model's output 'list' is another type");
}

static void test_an_activation_that_cannot_be_right_is_refused_at_once(void **state)
{
	refused(*state, "any", SMALL "output: {activation: none}\n",
		"set output.activation in the card to softmax or sigmoid");
}

static void test_one_sample_that_cannot_be_scored_is_rejected(void **state)
{
	struct model *m = tiny(*state, "fragile", SMALL);
	uint8_t pixels[2][48];
	memset(pixels[0], 7, sizeof(pixels[0]));
	memset(pixels[1], 0, sizeof(pixels[1]));
	const struct sample samples[] = { { .pixels = pixels[0] }, { .pixels = pixels[1] } };
	struct prediction got[2];
	struct err err = { 0 };
	assert_int_equal(model_run(m, 1, &samples[1], got, &err), -1);
	assert_int_equal(err.class, ERR_REJECT);
	assert_string_equal(err.text, "model 'tiny': the model's number for 'red' is not finite");
	assert_int_equal(model_run(m, 2, samples, got, &err), -1);
	assert_int_equal(model_run(m, 1, &samples[0], got, &err), 0);
	model_close(m);
}

static void test_the_version_is_of_weights_and_meaning(void **state)
{
	CLEANUP(model_closep) struct model *first = tiny(*state, "any", SMALL);
	CLEANUP(model_closep) struct model *again = tiny(*state, "any", SMALL "bands: {accept: 0.9}\n# a remark\n");
	CLEANUP(model_closep) struct model *weights = tiny(*state, "open", SMALL);
	CLEANUP(model_closep) struct model *meaning = tiny(*state, "any", SMALL "output: {activation: sigmoid}\n");
	const struct content_id *version = &model_info(first)->version;
	assert_false(content_id_none(version));
	assert_true(content_id_eq(version, &model_info(again)->version));
	assert_false(content_id_eq(version, &model_info(weights)->version));
	assert_false(content_id_eq(version, &model_info(meaning)->version));
}

static void test_missing_files_can_be_tried_again(void **state)
{
	const struct fixture *f = *state;
	struct model *m = NULL;
	struct err err = { 0 };
	struct backend_options o = real_options();
	write_card(f, "absent", SMALL);
	assert_int_equal(model_open(f->card, &o, &m, &err), -1);
	assert_int_equal(err.class, ERR_RETRY);
	assert_non_null(strstr(err.text, "absent.onnx"));
	assert_non_null(strstr(err.text, "make models"));
	assert_int_equal(model_open("/nowhere/card.yaml", &o, &m, &err), -1);
	assert_int_equal(err.class, ERR_RETRY);
	assert_non_null(strstr(err.text, "/nowhere/card.yaml"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_photographs_get_their_names),
		cmocka_unit_test(test_texts_get_their_language),
		cmocka_unit_test(test_a_language_has_the_packages_own_confidence),
		cmocka_unit_test_setup_teardown(test_a_text_of_nothing_known_gets_no_scores, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_any_batch_of_an_open_model, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_any_batch_of_a_model_of_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_any_batch_of_a_model_of_four, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_any_batch_of_a_packed_model, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_model_that_leaves_every_dimension_open, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_named_output_is_the_one_decoded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_shapes_that_do_not_fit_are_refused_with_both, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_an_activation_that_cannot_be_right_is_refused_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_sample_that_cannot_be_scored_is_rejected, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_version_is_of_weights_and_meaning, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_missing_files_can_be_tried_again, set_up, tear_down),
	};
	if (VIPS_INIT(argc > 0 ? argv[0] : "test_model") != 0)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	vips_shutdown();
	return failed;
}
