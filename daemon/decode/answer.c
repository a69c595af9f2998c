/* answer.c - a worker's result file, copied and checked. */
#include "daemon/decode/answer.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#include <jansson.h>

void decode_result_done(struct decode_result *r)
{
	buf_done(&r->facts);
	buf_done(&r->thumbnail);
	buf_done(&r->form);
	buf_done(&r->text);
	for (size_t i = 0; i < PIXEL_SPECS_MAX; i++)
		free(r->inputs[i]);
	*r = (struct decode_result){ 0 };
}

static int lie(struct err *err, const char *what)
{
	return err_set(err, ERR_RETRY, 0, "the decoder's answer is impossible: %s", what);
}

static int read_section(int fd, uint64_t *offset, uint64_t bytes, struct buf *to, struct err *err)
{
	if (bytes == 0)
		return 0;
	if (file_read_at(fd, buf_grow(to, bytes), bytes, *offset, err) < 0)
		return err_wrap(err, "read the decoder's answer");
	to->len = bytes;
	to->data[bytes] = '\0';
	*offset += bytes;
	return 0;
}

static int read_inputs(int fd, uint64_t *offset, const struct wire_job *job, struct decode_result *r, struct err *err)
{
	for (uint32_t i = 0; i < job->want_count; i++) {
		size_t bytes = pixel_spec_bytes(&job->wants[i]);
		r->inputs[i] = mem_alloc(bytes);
		if (file_read_at(fd, r->inputs[i], bytes, *offset, err) < 0)
			return err_wrap(err, "read the decoder's answer");
		*offset += bytes;
	}
	return 0;
}

/* Facts are put into the log as they are, in the middle of a line: a raw line feed would end it. */
static bool facts_right(const struct buf *facts)
{
	for (size_t i = 0; i < facts->len; i++) {
		if ((unsigned char)facts->data[i] < 0x20)
			return false;
	}
	json_t *parsed = json_loadb(facts->len ? facts->data : "", facts->len, JSON_REJECT_DUPLICATES, NULL);
	bool right = json_is_object(parsed);
	json_decref(parsed);
	return right;
}

static bool is_jpeg_or_png(const struct buf *image)
{
	return (image->len > 3 && memcmp(image->data, "\xff\xd8\xff", 3) == 0) ||
	       (image->len > 8 && memcmp(image->data, "\x89PNG\r\n\x1a\n", 8) == 0);
}

static int check(const struct decode_result *r, struct err *err)
{
	if (!facts_right(&r->facts))
		return lie(err, "facts are not a JSON object");
	if (r->thumbnail.len && !is_jpeg_or_png(&r->thumbnail))
		return lie(err, "the thumbnail is neither JPEG nor PNG");
	if (!text_is_utf8(buf_slice(&r->text)))
		return lie(err, "text is not UTF-8");
	if (!r->form.len)
		return 0;
	if (r->media == MEDIA_IMAGE ? !is_jpeg_or_png(&r->form) : !text_is_utf8(buf_slice(&r->form)))
		return lie(err, "the canonical form is not of its kind");
	return 0;
}

int answer_read(int fd, const struct wire_done *done, const struct wire_job *job, struct decode_result *ret,
		struct err *err)
{
	CLEANUP(decode_result_done) struct decode_result r = {
		.decoded = true,
		.media = (enum media)done->media,
		.width = done->width,
		.height = done->height,
		.canonical = done->canonical,
	};
	memcpy(r.media_type, done->media_type, sizeof(r.media_type));
	uint64_t offset = 0;
	if (read_section(fd, &offset, done->section[WIRE_FORM], &r.form, err) < 0 ||
	    read_section(fd, &offset, done->section[WIRE_FACTS], &r.facts, err) < 0 ||
	    read_section(fd, &offset, done->section[WIRE_THUMBNAIL], &r.thumbnail, err) < 0 ||
	    read_section(fd, &offset, done->section[WIRE_TEXT], &r.text, err) < 0 ||
	    (done->section[WIRE_INPUTS] && read_inputs(fd, &offset, job, &r, err) < 0) || check(&r, err) < 0)
		return -1;
	*ret = r;
	r = (struct decode_result){ 0 };
	return 0;
}
