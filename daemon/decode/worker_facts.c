/* worker_facts.c - header and EXIF as JSON. */
#include "daemon/decode/worker_facts.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/decode/worker_colour.h"

#include <string.h>

#define EXIF_MAX 128 /* bytes of one value */

static const struct {
	const char *name, *field;
} exif_fields[] = {
	{ "make", "exif-ifd0-Make" },
	{ "model", "exif-ifd0-Model" },
	{ "taken", "exif-ifd2-DateTimeOriginal" },
};

/* libvips gives "VALUE (VALUE, ASCII, 6 components, 6 bytes)": the length of VALUE, which may hold anything itself. */
static size_t value_length(const char *s)
{
	for (const char *at = strstr(s, " ("); at; at = strstr(at + 1, " (")) {
		size_t n = (size_t)(at - s);
		if (strncmp(at + 2, s, n) == 0 && at[2 + n] == ',')
			return n;
	}
	return strlen(s);
}

/* As it is where it is UTF-8 (json.h escapes the rest), else with its odd bytes spelled out. */
static bool exif_value(VipsImage *image, const char *field, struct buf *to)
{
	const char *s;
	if (!vips_image_get_typeof(image, field) || vips_image_get_string(image, field, &s) < 0)
		return false;
	size_t n = value_length(s);
	while (n && s[n - 1] == ' ')
		n--;
	struct slice value = { s, n < EXIF_MAX ? n : EXIF_MAX };
	if (text_is_utf8(value))
		buf_add(to, value.p, value.len);
	else
		text_printable(to, value);
	return to->len > 0;
}

static void put_exif(struct json *j, VipsImage *image)
{
	bool opened = false;
	for (size_t i = 0; i < sizeof(exif_fields) / sizeof(exif_fields[0]); i++) {
		CLEANUP(buf_done) struct buf value = { 0 };
		if (!exif_value(image, exif_fields[i].field, &value))
			continue;
		if (!opened)
			json_open(j, "exif", '{');
		opened = true;
		json_str(j, exif_fields[i].name, buf_slice(&value));
	}
	if (opened)
		json_close(j, '}');
}

int facts_put(struct task *t, const char *format, VipsImage *header, struct err *err)
{
	CLEANUP(buf_done) struct buf facts = { 0 };
	struct json j = { .to = &facts };
	json_open(&j, NULL, '{');
	json_str(&j, "format", slice_of(format));
	json_u64(&j, "orientation", (uint64_t)vips_image_get_orientation(header));
	json_u64(&j, "frames", (uint64_t)vips_image_get_n_pages(header));
	json_u64(&j, "bands", (uint64_t)vips_image_get_bands(header));
	json_str(&j, "interpretation",
		 slice_of(vips_enum_nick(VIPS_TYPE_INTERPRETATION, vips_image_get_interpretation(header))));
	json_bool(&j, "icc", colour_has_profile(header));
	put_exif(&j, header);
	json_close(&j, '}');
	vips_error_clear();
	return output_add(t->out, WIRE_FACTS, facts.data, facts.len, err);
}
