/* card.c - reads model cards with the one option reader. */
#include "daemon/infer/card.h"

#include "config/option.h"
#include "config/path.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/infer/labels.h"

#include <fcntl.h>
#include <math.h>

#define NAME_BYTES_MAX 64

CLEANUP_FN(struct card *, card_free)

static const char *const backends[] = { "onnx", NULL };
static const char *const media_kinds[] = { "image", "text", NULL };
static const char *const fits[] = { "crop", "stretch", "letterbox", NULL };                   /* enum pixel_fit */
static const char *const kernels[] = { "nearest", "bilinear", "bicubic", "lanczos3", NULL };  /* enum pixel_kernel */
static const char *const layouts[] = { "nchw", "nhwc", NULL };                                /* enum pixel_layout */
static const char *const colors[] = { "rgb", "bgr", NULL };
static const char *const features[] = { "ngram", NULL };
static const char *const tasks[] = { "classify", NULL };
static const char *const activations[] = { "softmax", "sigmoid", "none", NULL };              /* enum activation */

struct top {
	char *name, *file;
	int backend, media;
	const struct yaml_node *labels, *input, *text, *output, *bands;
};
#define AT(member) offsetof(struct top, member)
static const struct option top_options[] = {
	{ "name", OPTION_STRING, AT(name), 0, 0, NULL, NULL, "the model's name in annotations" },
	{ "file", OPTION_PATH, AT(file), 0, 0, NULL, NULL, "the model file" },
	{ "backend", OPTION_ENUM, AT(backend), 0, 0, "onnx", backends, "what runs it" },
	{ "media", OPTION_ENUM, AT(media), 0, 0, NULL, media_kinds, "what it looks at: image or text" },
	{ "labels", OPTION_NODE, AT(labels), 0, 0, NULL, NULL, "a file of one label a line, or a list" },
	{ "input", OPTION_NODE, AT(input), 0, 0, "", NULL, "media: image: size and preprocessing" },
	{ "text", OPTION_NODE, AT(text), 0, 0, "", NULL, "media: text: features" },
	{ "output", OPTION_NODE, AT(output), 0, 0, "", NULL, "what its numbers mean" },
	{ "bands", OPTION_NODE, AT(bands), 0, 0, "", NULL, "defaults for the configuration's bands" },
	{ 0 },
};
#undef AT

struct input {
	uint32_t width, height, pad;
	int fit, kernel, layout, color;
	float crop;
	const struct yaml_node *mean, *std, *scale;
};
#define AT(member) offsetof(struct input, member)
static const struct option input_options[] = {
	{ "width", OPTION_U32, AT(width), 1, 4096, NULL, NULL, "pixels" },
	{ "height", OPTION_U32, AT(height), 1, 4096, NULL, NULL, "pixels" },
	{ "fit", OPTION_ENUM, AT(fit), 0, 0, "crop", fits, "how a picture of another shape gets this one" },
	{ "crop", OPTION_FLOAT, AT(crop), 0.01, 1, "1", NULL, "fit: crop: share of the short side that is kept" },
	{ "kernel", OPTION_ENUM, AT(kernel), 0, 0, "bilinear", kernels, "resampling" },
	{ "pad", OPTION_U32, AT(pad), 0, 255, "114", NULL, "fit: letterbox: grey of the bars" },
	{ "layout", OPTION_ENUM, AT(layout), 0, 0, "nchw", layouts, "order of the tensor's dimensions" },
	{ "color", OPTION_ENUM, AT(color), 0, 0, "rgb", colors, "order of the channels, of mean and of std too" },
	{ "mean", OPTION_NODE, AT(mean), 0, 0, "", NULL, "subtracted from each byte 0..255: a number or three; 0" },
	{ "std", OPTION_NODE, AT(std), 0, 0, "", NULL, "divides what is left; 1" },
	{ "scale", OPTION_NODE, AT(scale), 0, 0, "", NULL, "multiplies what is left, instead of std" },
	{ 0 },
};
#undef AT

struct text_input {
	int features;
	char *table;
};
static const struct option text_options[] = {
	{ "features", OPTION_ENUM, offsetof(struct text_input, features), 0, 0, "ngram", features, "what is counted" },
	{ "table", OPTION_PATH, offsetof(struct text_input, table), 0, 0, NULL, NULL, "n-gram table" },
	{ 0 },
};

struct output {
	int task, activation;
	char *name;
};
static const struct option output_options[] = {
	{ "task", OPTION_ENUM, offsetof(struct output, task), 0, 0, "classify", tasks, "what the model does" },
	{ "activation", OPTION_ENUM, offsetof(struct output, activation), 0, 0, "softmax", activations,
		"softmax: one class excludes the others; sigmoid: each alone; none: the model did it" },
	{ "name", OPTION_STRING, offsetof(struct output, name), 0, 0, "", NULL,
		"which output, where there are several" },
	{ 0 },
};

static struct option_place inside(const struct option_place *at, const char *section)
{
	return (struct option_place){ .file = at->file, .dir = at->dir, .prefix = section };
}

static int read_number(
	const struct option_place *at, const struct yaml_node *n, const char *key, float *ret, struct err *err)
{
	char *end = NULL;
	if (n->kind == YAML_SCALAR && n->text[0] != '\0')
		*ret = strtof(n->text, &end);
	if (!end || *end != '\0' || !isfinite(*ret))
		return option_err(err, at, n, key, "needs a number, or a list of three, one a channel");
	return 0;
}

/* One number for all channels, or one each. */
static int read_channels(
	const struct option_place *at, const struct yaml_node *n, const char *key, float to[3], struct err *err)
{
	if (!n)
		return 0;
	if (n->kind == YAML_LIST && n->count != 3)
		return option_err(
			err, at, n, key, "has %zu numbers; needs one, or a list of three, one a channel", n->count);
	for (size_t i = 0; i < 3; i++)
		if (read_number(at, n->kind == YAML_LIST ? n->values[i] : n, key, &to[i], err) < 0)
			return -1;
	return 0;
}

static int read_transform(
	const struct option_place *at, const struct input *in, struct pixel_transform *t, struct err *err)
{
	float divisor[3] = { 1, 1, 1 };
	t->layout = (enum pixel_layout)in->layout;
	t->bgr = in->color == 1;
	for (size_t i = 0; i < 3; i++)
		t->scale[i] = 1;
	if (in->std && in->scale)
		return option_err(err, at, in->scale, "scale", "is given beside std; write one of them");
	if (read_channels(at, in->mean, "mean", t->mean, err) < 0 ||
	    read_channels(at, in->scale, "scale", t->scale, err) < 0 ||
	    read_channels(at, in->std, "std", divisor, err) < 0)
		return -1;
	for (size_t i = 0; i < 3; i++) {
		if (divisor[i] == 0)
			return option_err(err, at, in->std, "std", "is 0; nothing can be divided by it");
		t->scale[i] /= divisor[i];
	}
	return 0;
}

static int read_input(const struct option_place *top, const struct yaml_node *n, struct card *c, struct err *err)
{
	struct option_place at = inside(top, "input");
	struct input in = { 0 };
	if (option_read(input_options, n, &at, &in, err) < 0)
		return -1;
	c->pixels = (struct pixel_spec){
		.width = in.width,
		.height = in.height,
		.fit = (enum pixel_fit)in.fit,
		.crop = in.crop,
		.kernel = (enum pixel_kernel)in.kernel,
		.pad = (uint8_t)in.pad,
	};
	return read_transform(&at, &in, &c->transform, err);
}

static int read_text(const struct option_place *top, const struct yaml_node *n, struct card *c, struct err *err)
{
	struct option_place at = inside(top, "text");
	struct text_input in = { 0 };
	int result = option_read(text_options, n, &at, &in, err);
	c->table = in.table;
	if (result == 0 && !c->table)
		return option_err(err, &at, n, "table", "is empty; write the path of an n-gram table");
	return result;
}

static int read_output(const struct option_place *top, const struct yaml_node *n, struct card *c, struct err *err)
{
	struct option_place at = inside(top, "output");
	struct output out = { 0 };
	int result = option_read(output_options, n, &at, &out, err);
	c->activation = (enum activation)out.activation;
	c->output = out.name;
	return result;
}

static int read_label_list(const struct option_place *at, const struct yaml_node *n, struct card *c, struct err *err)
{
	CLEANUP(buf_done) struct buf lines = { 0 };
	for (size_t i = 0; i < n->count; i++) {
		const struct yaml_node *label = n->values[i];
		if (label->kind != YAML_SCALAR || strchr(label->text, '\n'))
			return option_err(err, at, label, "labels", "needs a list of names of one line each");
		buf_printf(&lines, "%s\n", label->text);
	}
	if (labels_parse("list", buf_slice(&lines), c, err) < 0) {
		struct err why = *err;
		return option_err(err, at, n, "labels", "%s", why.text);
	}
	return 0;
}

static int read_labels(const struct option_place *at, const struct yaml_node *n, struct card *c, struct err *err)
{
	if (n->kind == YAML_LIST)
		return read_label_list(at, n, c, err);
	if (n->kind != YAML_SCALAR || n->text[0] == '\0')
		return option_err(
			err, at, n, "labels", "needs the path of a file of one label a line, or a list of labels");
	CLEANUP(freep) char *file = path_join(at->dir, n->text);
	return labels_load(file, c, err) < 0 ? err_wrap(err, "%s:%zu:%zu", at->file, n->line, n->column) : 0;
}

static int check_name(const struct option_place *at, const struct yaml_node *root, const char *name, struct err *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = name ? strlen(name) : 0;
	if (len == 0 || len > NAME_BYTES_MAX || strspn(name, allowed) != len)
		return option_err(err, at, yaml_get(root, "name"), "name",
			"needs 1 to %d letters, digits, '.', '_' or '-'", NAME_BYTES_MAX);
	return 0;
}

/* A section of the other media kind is a mistake that would otherwise go unseen. */
static int read_media(const struct option_place *at, const struct top *top, struct card *c, struct err *err)
{
	bool image = c->media == MEDIA_IMAGE;
	const struct yaml_node *other = image ? top->text : top->input;
	if (other)
		return option_err(err, at, other, image ? "text" : "input", "has no meaning with media: %s",
			media_kinds[image ? 0 : 1]);
	return image ? read_input(at, top->input, c, err) : read_text(at, top->text, c, err);
}

static int read_card(const struct yaml_node *root, const struct option_place *at, struct card *c, struct err *err)
{
	struct top top = { 0 };
	int result = option_read(top_options, root, at, &top, err);
	c->name = top.name;
	c->file = top.file;
	if (result < 0 || check_name(at, root, c->name, err) < 0)
		return -1;
	if (!c->file)
		return option_err(
			err, at, yaml_get(root, "file"), "file", "is empty; write the path of the model file");
	c->backend = backends[top.backend];
	c->media = top.media == 0 ? MEDIA_IMAGE : MEDIA_TEXT;
	if (read_media(at, &top, c, err) < 0 || read_output(at, top.output, c, err) < 0)
		return -1;
	return read_labels(at, top.labels, c, err);
}

static int card_build(const char *path, const struct yaml_node *root, struct card **ret, struct err *err)
{
	CLEANUP(card_freep) struct card *c = mem_zero(1, sizeof(*c));
	c->path = path_real(path);
	CLEANUP(freep) char *dir = path_join(c->path, "..");
	const struct option_place at = { .file = path, .dir = dir, .prefix = "" };
	if (read_card(root, &at, c, err) < 0)
		return -1;
	*ret = TAKE_PTR(c);
	return 0;
}

int card_load(const char *path, struct card **ret, struct err *err)
{
	CLEANUP(yaml_node_freep) struct yaml_node *root = NULL;
	if (yaml_load(path, &root, err) < 0)
		return err_wrap(err, "model card");
	return card_build(path, root, ret, err);
}

int card_parse(const char *path, struct slice yaml, struct card **ret, struct err *err)
{
	CLEANUP(yaml_node_freep) struct yaml_node *root = NULL;
	if (yaml_parse(path, yaml, &root, err) < 0)
		return err_wrap(err, "model card");
	return card_build(path, root, ret, err);
}

void card_free(struct card *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->label_count; i++)
		free(c->labels[i]);
	free(c->labels);
	free(c->path);
	free(c->name);
	free(c->file);
	free(c->table);
	free(c->output);
	free(c);
}

/* %a: floats exactly, in one way. */
static void canonical_input(const struct card *c, struct buf *to)
{
	const struct pixel_spec *p = &c->pixels;
	const struct pixel_transform *t = &c->transform;
	buf_printf(to, "input %ux%u fit %s crop %a kernel %s pad %u layout %s color %s\n", p->width, p->height,
		fits[p->fit], p->fit == FIT_CROP ? (double)p->crop : 1.0, kernels[p->kernel],
		p->fit == FIT_LETTERBOX ? p->pad : 0, layouts[t->layout], colors[t->bgr]);
	for (size_t i = 0; i < 3; i++)
		buf_printf(to, "channel %a %a\n", (double)t->mean[i], (double)t->scale[i]);
}

void card_canonical(const struct card *c, struct buf *to)
{
	buf_printf(
		to, "name %s\nbackend %s\nmedia %s\n", c->name, c->backend, c->media == MEDIA_IMAGE ? "image" : "text");
	if (c->media == MEDIA_IMAGE)
		canonical_input(c, to);
	else
		buf_printf(to, "text ngram\n");
	buf_printf(to, "output classify %s %s\n", activations[c->activation], c->output ? c->output : "");
	for (size_t i = 0; i < c->label_count; i++)
		buf_printf(to, "%s\n", c->labels[i]);
}
