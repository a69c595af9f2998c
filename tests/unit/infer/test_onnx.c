/* test_onnx.c - the backend "onnx" with real, tiny models and the real library. */
#include "tests/unit/infer/real.h"

#include <string.h>
#include <unistd.h>

#define DATA "tests/data/onnx/"

static struct backend *load(const char *file)
{
	struct backend *b = NULL;
	struct err err = { 0 };
	struct backend_options o = real_options();
	if (onnx_backend.load(file, &o, &b, &err) < 0)
		fail_msg("%s", err.text);
	return b;
}

static struct err refuse(const char *file, const struct backend_options *o)
{
	struct backend *b = NULL;
	struct err err = { 0 };
	assert_int_equal(onnx_backend.load(file, o, &b, &err), -1);
	assert_null(b);
	return err;
}

/* First of all tests: once a library is loaded the process keeps it. */
static void test_a_missing_library_names_the_place_and_the_cure(void **state)
{
	(void)state;
	struct backend_options o = { .library = "/nowhere/libonnxruntime.so", .threads = 1 };
	struct err err = refuse(DATA "any.onnx", &o);
	assert_int_equal(err.class, ERR_RETRY);
	assert_string_equal(err.text,
		"no ONNX Runtime 1.11 or later in /nowhere/libonnxruntime.so; install it (Debian 13: apt install "
		"libonnxruntime1.21; Debian 12: make models), or name it in inference.library");
}

static void test_a_library_that_is_another_is_refused(void **state)
{
	(void)state;
	struct backend_options o = { .library = "libc.so.6", .threads = 1 };
	struct err err = refuse(DATA "any.onnx", &o);
	assert_int_equal(err.class, ERR_RETRY);
	assert_non_null(strstr(err.text, "'libc.so.6' cannot be used: it is not ONNX Runtime"));
}

static void test_the_environment_names_the_library(void **state)
{
	(void)state;
	struct backend_options o = { .library = NULL, .threads = 1 };
	assert_int_equal(setenv("ORT_DYLIB_PATH", "/nowhere/from-environment.so", 1), 0);
	struct err err = refuse(DATA "any.onnx", &o);
	assert_int_equal(unsetenv("ORT_DYLIB_PATH"), 0);
	assert_non_null(strstr(err.text, "in /nowhere/from-environment.so;"));
}

static void test_it_is_found_by_its_name(void **state)
{
	(void)state;
	assert_ptr_equal(backend_find("onnx"), &onnx_backend);
	assert_null(backend_find("onn"));
}

static void test_describe_tells_names_types_and_open_dimensions(void **state)
{
	(void)state;
	struct backend *b = load(DATA "open.onnx");
	const struct backend_info *info = onnx_backend.describe(b);
	assert_int_equal(strncmp(info->runtime, "ONNX Runtime 1.", 15), 0);
	assert_int_equal(info->input_count, 1);
	assert_string_equal(info->inputs[0].name, "images");
	assert_int_equal(info->inputs[0].type, TENSOR_FLOAT32);
	assert_int_equal(info->inputs[0].rank, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(info->inputs[0].dims[i], -1);
	assert_int_equal(info->output_count, 1);
	assert_string_equal(info->outputs[0].name, "logits");
	onnx_backend.close(b);
}

static void test_describe_tells_fixed_dimensions_and_integers(void **state)
{
	(void)state;
	struct backend *b = load(DATA "four.onnx");
	const int64_t dims[] = { 4, 3, 4, 4 };
	assert_memory_equal(onnx_backend.describe(b)->inputs[0].dims, dims, sizeof(dims));
	onnx_backend.close(b);
	b = load(DATA "text.onnx");
	const struct backend_info *info = onnx_backend.describe(b);
	assert_int_equal(info->input_count, 2);
	assert_string_equal(info->inputs[0].name, "features");
	assert_int_equal(info->inputs[0].type, TENSOR_INT64);
	assert_string_equal(info->inputs[1].name, "weights");
	onnx_backend.close(b);
}

static void test_a_sequence_is_described_as_another_type(void **state)
{
	(void)state;
	struct backend *b = load(DATA "sequence.onnx");
	assert_int_equal(onnx_backend.describe(b)->outputs[0].type, TENSOR_OTHER);
	onnx_backend.close(b);
}

/* n pictures of 4 x 4, planar; all pixels of plane c of picture i are 10 i + c. */
static struct tensor pictures(int64_t n, float *data)
{
	for (size_t i = 0; i < (size_t)n * 48; i++) {
		size_t value = 10 * (i / 48) + i / 16 % 3;
		data[i] = (float)value;
	}
	return (struct tensor){ .type = TENSOR_FLOAT32, .rank = 4, .dims = { n, 3, 4, 4 }, .data = data };
}

static void test_run_gives_a_row_per_sample(void **state)
{
	(void)state;
	struct backend *b = load(DATA "any.onnx");
	for (int64_t n = 1; n <= 128; n += 127) {
		float data[128 * 48];
		struct tensor in = pictures(n, data), out = { 0 };
		struct err err = { 0 };
		assert_int_equal(onnx_backend.run(b, &in, &out, &err), 0);
		assert_int_equal(out.type, TENSOR_FLOAT32);
		assert_int_equal(out.rank, 2);
		assert_int_equal(out.dims[0], n);
		assert_int_equal(out.dims[1], 3);
		for (int64_t i = 0; i < n * 3; i++) {
			int64_t wanted = 10 * (i / 3) + i % 3;
			assert_float_equal(((float *)out.data)[i], (double)wanted, 1e-4);
		}
	}
	onnx_backend.close(b);
}

static void test_every_output_comes_back(void **state)
{
	(void)state;
	struct backend *b = load(DATA "two.onnx");
	float data[48];
	struct tensor in = pictures(1, data), out[2] = { 0 };
	struct err err = { 0 };
	assert_int_equal(onnx_backend.run(b, &in, out, &err), 0);
	assert_float_equal(((float *)out[0].data)[2], 2, 1e-5);
	assert_float_equal(((float *)out[1].data)[2], -2, 1e-5);
	onnx_backend.close(b);
}

static void test_a_wrong_shape_is_rejected_and_the_model_still_runs(void **state)
{
	(void)state;
	struct backend *b = load(DATA "one.onnx");
	float data[2 * 48];
	struct tensor two = pictures(2, data), one = pictures(1, data), out = { 0 };
	struct err err = { 0 };
	assert_int_equal(onnx_backend.run(b, &two, &out, &err), -1);
	assert_int_equal(err.class, ERR_REJECT);
	assert_true(err.text[0] != '\0');
	assert_int_equal(onnx_backend.run(b, &one, &out, &err), 0);
	onnx_backend.close(b);
}

static void test_a_missing_model_file_is_named_with_the_cure(void **state)
{
	(void)state;
	struct backend_options o = real_options();
	struct err err = refuse("/nowhere/model.onnx", &o);
	assert_int_equal(err.class, ERR_RETRY);
	assert_non_null(strstr(err.text, "'/nowhere/model.onnx'"));
	assert_non_null(strstr(err.text, "make models"));
	assert_non_null(strstr(err.text, "No such file"));
}

static void test_a_file_that_is_no_model_is_rejected(void **state)
{
	(void)state;
	struct backend_options o = real_options();
	struct err err = refuse(DATA "make.py", &o);
	assert_int_equal(err.class, ERR_REJECT);
	assert_non_null(strstr(err.text, "model file '" DATA "make.py' cannot be run by ONNX Runtime"));
	assert_int_equal(refuse(DATA, &o).class, ERR_REJECT);
}

static void test_two_models_live_beside_each_other(void **state)
{
	(void)state;
	struct backend *a = load(DATA "any.onnx"), *b = load(DATA "any.onnx");
	float data[48];
	struct tensor in = pictures(1, data), out = { 0 };
	struct err err = { 0 };
	assert_int_equal(onnx_backend.run(a, &in, &out, &err), 0);
	onnx_backend.close(a);
	assert_int_equal(onnx_backend.run(b, &in, &out, &err), 0);
	onnx_backend.close(b);
	onnx_backend.close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_missing_library_names_the_place_and_the_cure),
		cmocka_unit_test(test_a_library_that_is_another_is_refused),
		cmocka_unit_test(test_the_environment_names_the_library),
		cmocka_unit_test(test_it_is_found_by_its_name),
		cmocka_unit_test(test_describe_tells_names_types_and_open_dimensions),
		cmocka_unit_test(test_describe_tells_fixed_dimensions_and_integers),
		cmocka_unit_test(test_a_sequence_is_described_as_another_type),
		cmocka_unit_test(test_run_gives_a_row_per_sample),
		cmocka_unit_test(test_every_output_comes_back),
		cmocka_unit_test(test_a_wrong_shape_is_rejected_and_the_model_still_runs),
		cmocka_unit_test(test_a_missing_model_file_is_named_with_the_cure),
		cmocka_unit_test(test_a_file_that_is_no_model_is_rejected),
		cmocka_unit_test(test_two_models_live_beside_each_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
