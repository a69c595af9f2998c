/* fit.c - compares shapes, and says both and the cure where they differ. */
#include "daemon/infer/fit.h"

#include "daemon/base/cleanup.h"

#include <inttypes.h>

static void print_dims(struct buf *to, const int64_t *dims, size_t rank)
{
	buf_char(to, '[');
	for (size_t i = 0; i < rank; i++) {
		buf_str(to, i ? "," : "");
		if (dims[i] >= 0)
			buf_u64(to, (uint64_t)dims[i]);
		else
			buf_str(to, i ? "?" : "N");
	}
	buf_char(to, ']');
}

static const char *type_name(enum tensor_type type)
{
	static const char *const names[] = { "", "float32", "uint8", "int32", "int64", "another type" };
	return names[type];
}

/* "its input 'images' is float32 [N,3,299,299]" */
static void print_tensor(struct buf *to, const char *side, const struct tensor_info *t)
{
	buf_printf(to, "the model's %s '%s' is %s ", side, t->name, type_name(t->type));
	print_dims(to, t->dims, t->rank);
}

static int refuse_pixels(const struct card *c, const struct tensor_info *t, const int64_t *wanted, struct err *err)
{
	CLEANUP(buf_done) struct buf why = { 0 };
	bool nchw = c->transform.layout == LAYOUT_NCHW;
	const char *layout = nchw ? "NCHW" : "NHWC";
	buf_printf(&why, "the card says %ux%u %s = float32 ", c->pixels.width, c->pixels.height, layout);
	print_dims(&why, wanted, 4);
	buf_str(&why, "; ");
	print_tensor(&why, "input", t);
	if (t->rank == 4 && t->type == TENSOR_FLOAT32) {
		size_t h = nchw ? 2 : 1;
		if (t->dims[nchw ? 1 : 3] == 3 && t->dims[h] > 0 && t->dims[h + 1] > 0)
			buf_printf(&why, ": set input.width to %" PRId64 " and input.height to %" PRId64,
				t->dims[h + 1], t->dims[h]);
		else if (t->dims[nchw ? 3 : 1] == 3)
			buf_printf(&why, ": set input.layout to %s", nchw ? "nhwc" : "nchw");
		else
			buf_str(&why, ": a model of colour pictures is needed, 3 channels");
	} else {
		buf_str(&why, ": a model that takes float32 pictures in 4 dimensions is needed");
	}
	return err_set(err, ERR_REJECT, 0, "%s: %s", c->path, why.data);
}

static int fit_pixels(const struct card *c, const struct backend_info *info, int64_t *ret_batch, struct err *err)
{
	int64_t w = c->pixels.width, h = c->pixels.height;
	const int64_t nchw[4] = { -1, 3, h, w }, nhwc[4] = { -1, h, w, 3 };
	const int64_t *wanted = c->transform.layout == LAYOUT_NCHW ? nchw : nhwc;
	const struct tensor_info *in = &info->inputs[0];
	if (info->input_count != 1)
		return err_set(err, ERR_REJECT, 0, "%s: media: image needs a model of one input; '%s' has %zu", c->path,
			c->file, info->input_count);
	bool fits = in->type == TENSOR_FLOAT32 && in->rank == 4;
	for (size_t i = 1; i < 4 && fits; i++)
		fits = in->dims[i] == wanted[i] || in->dims[i] < 0;
	if (!fits)
		return refuse_pixels(c, in, wanted, err);
	*ret_batch = in->dims[0];
	return 0;
}

static bool is_features(const struct tensor_info *t, enum tensor_type type)
{
	return t->type == type && t->rank == 2 && t->dims[1] < 0;
}

static int fit_text(const struct card *c, const struct backend_info *info, int64_t *ret_batch, struct err *err)
{
	const struct tensor_info *in = info->inputs;
	if (info->input_count == 2 && is_features(&in[0], TENSOR_INT64) && is_features(&in[1], TENSOR_FLOAT32) &&
	    in[0].dims[0] <= 1 && in[1].dims[0] <= 1) {
		*ret_batch = 1;
		return 0;
	}
	CLEANUP(buf_done) struct buf why = { 0 };
	for (size_t i = 0; i < info->input_count; i++) {
		buf_str(&why, i ? ", " : "");
		print_tensor(&why, "input", &in[i]);
	}
	return err_set(err, ERR_REJECT, 0,
		"%s: text.features: ngram feeds features int64 [1,?] and weights float32 [1,?]; %s: name another "
		"model in `file`",
		c->path, why.data);
}

static int find_output(const struct card *c, const struct backend_info *info, size_t *ret, struct err *err)
{
	CLEANUP(buf_done) struct buf names = { 0 };
	for (size_t i = 0; i < info->output_count; i++) {
		if (c->output ? strcmp(c->output, info->outputs[i].name) == 0 : info->output_count == 1) {
			*ret = i;
			return 0;
		}
		buf_printf(&names, "%s'%s'", i ? ", " : "", info->outputs[i].name);
	}
	return err_set(err, ERR_REJECT, 0, "%s: output.name: %s%s%s; the model's outputs are %s", c->path,
		c->output ? "there is no '" : "", c->output ? c->output : "is needed, the model has several",
		c->output ? "'" : "", names.data ? names.data : "none");
}

static int refuse_output(const struct card *c, const char *name, const int64_t *dims, size_t rank,
	enum tensor_type type, struct err *err)
{
	CLEANUP(buf_done) struct buf shape = { 0 };
	print_dims(&shape, dims, rank);
	if (type == TENSOR_FLOAT32 && rank >= 2 && dims[1] > 0)
		return err_set(err, ERR_REJECT, 0,
			"%s: labels: %zu labels = output float32 [N,%zu]; the model's output '%s' is %s: give it "
			"%" PRId64 " labels, or name another output",
			c->path, c->label_count, c->label_count, name, shape.data, dims[1]);
	return err_set(err, ERR_REJECT, 0,
		"%s: output.task: classify needs float32 [N,%zu], a number per label; the model's output '%s' is %s "
		"%s",
		c->path, c->label_count, name, type_name(type), shape.data);
}

/* Open dimensions may still turn out right. */
static bool classes_fit(const struct card *c, enum tensor_type type, const int64_t *dims, size_t rank)
{
	bool fits = type == TENSOR_FLOAT32 && rank >= 2 && (dims[1] < 0 || dims[1] == (int64_t)c->label_count);
	for (size_t i = 2; i < rank && fits; i++)
		fits = dims[i] < 0 || dims[i] == 1;
	return fits;
}

int fit_output(const struct card *c, const char *name, const struct tensor *t, size_t n, struct err *err)
{
	if (t->rank >= 1 && t->dims[0] == (int64_t)n && classes_fit(c, t->type, t->dims, t->rank))
		return 0;
	return refuse_output(c, name, t->dims, t->rank, t->type, err);
}

int fit_card(const struct card *c, const struct backend_info *info, struct fit *ret, struct err *err)
{
	int64_t batch;
	struct fit fit = { 0 };
	if ((c->media == MEDIA_IMAGE ? fit_pixels : fit_text)(c, info, &batch, err) < 0 ||
	    find_output(c, info, &fit.output, err) < 0)
		return -1;
	const struct tensor_info *out = &info->outputs[fit.output];
	if (!classes_fit(c, out->type, out->dims, out->rank))
		return refuse_output(c, out->name, out->dims, out->rank, out->type, err);
	fit.batch = batch > 0 ? (size_t)batch : 0;
	*ret = fit;
	return 0;
}
