/* test_card.c - model cards: what they mean, what they refuse, and the canonical text of which the version is made. */
#include "daemon/infer/card.h"

#include "tests/unit/infer/real.h"

#include <string.h>

#define HEAD "name: m\nfile: m.onnx\nmedia: image\n"
#define CARD HEAD "labels: [cat, dog]\ninput: {width: 8, height: 4}\n"

static struct card *parse(const char *yaml)
{
	struct card *c = NULL;
	struct err err = { 0 };
	if (card_parse("/x/card.yaml", slice_of(yaml), &c, &err) < 0)
		fail_msg("%s", err.text);
	return c;
}

static void refused(const char *yaml, const char *message)
{
	struct card *c = NULL;
	struct err err = { 0 };
	assert_int_equal(card_parse("/x/card.yaml", slice_of(yaml), &c, &err), -1);
	assert_null(c);
	assert_int_equal(err.class, ERR_REJECT);
	assert_string_equal(err.text, message);
}

static char *canonical(const char *yaml)
{
	struct buf text = { 0 };
	struct card *c = parse(yaml);
	card_canonical(c, &text);
	card_free(c);
	return buf_take(&text);
}

static void same(const char *a, const char *b, bool equal)
{
	CLEANUP(freep) char *x = canonical(a), *y = canonical(b);
	assert_int_equal(strcmp(x, y) == 0, equal);
}

static void test_a_short_card_has_defaults(void **state)
{
	(void)state;
	struct card *c = parse(CARD);
	assert_string_equal(c->name, "m");
	assert_string_equal(c->file, "/x/m.onnx");
	assert_string_equal(c->backend, "onnx");
	assert_int_equal(c->media, MEDIA_IMAGE);
	assert_int_equal(c->label_count, 2);
	assert_string_equal(c->labels[1], "dog");
	assert_int_equal(c->pixels.width, 8);
	assert_int_equal(c->pixels.height, 4);
	assert_int_equal(c->pixels.fit, FIT_CROP);
	assert_float_equal(c->pixels.crop, 1, 0);
	assert_int_equal(c->pixels.kernel, KERNEL_BILINEAR);
	assert_int_equal(c->transform.layout, LAYOUT_NCHW);
	assert_false(c->transform.bgr);
	assert_float_equal(c->transform.mean[2], 0, 0);
	assert_float_equal(c->transform.scale[2], 1, 0);
	assert_int_equal(c->activation, ACTIVATION_SOFTMAX);
	assert_null(c->output);
	assert_null(c->table);
	card_free(c);
	card_free(NULL);
}

static void test_every_key_is_read(void **state)
{
	(void)state;
	struct card *c = parse(
		HEAD "labels: [a]\nbackend: onnx\nbands: {accept: 0.9}\noutput: {task: classify, activation: sigmoid, "
		     "name: probs}\ninput: {width: 4096, height: 1, fit: letterbox, crop: 0.5, kernel: lanczos3, pad: "
		     "255, layout: nhwc, color: bgr, mean: [1, 2, 3.5], std: [2, 4, 8]}\n");
	assert_int_equal(c->pixels.fit, FIT_LETTERBOX);
	assert_int_equal(c->pixels.kernel, KERNEL_LANCZOS3);
	assert_int_equal(c->pixels.pad, 255);
	assert_float_equal(c->pixels.crop, 0.5, 0);
	assert_int_equal(c->transform.layout, LAYOUT_NHWC);
	assert_true(c->transform.bgr);
	assert_float_equal(c->transform.mean[2], 3.5, 0);
	assert_float_equal(c->transform.scale[2], 0.125, 0);
	assert_int_equal(c->activation, ACTIVATION_SIGMOID);
	assert_string_equal(c->output, "probs");
	card_free(c);
}

static void test_one_number_is_for_all_channels_and_scale_multiplies(void **state)
{
	(void)state;
	struct card *c = parse(HEAD "labels: [a]\ninput: {width: 1, height: 1, mean: 127, scale: 0.5}\n");
	for (size_t i = 0; i < 3; i++) {
		assert_float_equal(c->transform.mean[i], 127, 0);
		assert_float_equal(c->transform.scale[i], 0.5, 0);
	}
	card_free(c);
}

static void test_a_text_card_names_its_table(void **state)
{
	(void)state;
	struct card *c = parse("name: t\nfile: /m/t.onnx\nmedia: text\nlabels: [a]\ntext: {table: ../t.bin}\n");
	assert_int_equal(c->media, MEDIA_TEXT);
	assert_string_equal(c->file, "/m/t.onnx");
	assert_string_equal(c->table, "/t.bin");
	card_free(c);
}

static void test_mistakes_name_line_key_and_cure(void **state)
{
	(void)state;
	refused(CARD "fil: x\n", "/x/card.yaml:6:1: fil: unknown key; did you mean 'file'?");
	refused("name: m\n", "/x/card.yaml:1:1: file: is missing; it has no default (the model file)");
	refused("name: a b\nfile: f\nmedia: image\nlabels: [a]\n",
		"/x/card.yaml:1:7: name: needs 1 to 64 letters, digits, '.', '_' or '-'");
	refused("name: m\nfile: f\nmedia: audio\nlabels: [a]\n",
		"/x/card.yaml:3:8: media: 'audio': needs one of image, text");
	refused(HEAD "labels: [a]\ninput: {width: 8, height: 0}\n",
		"/x/card.yaml:5:27: input.height: 0 is out of range; allowed: 1..4096");
	refused(HEAD "labels: [a]\ninput: {width: 8, height: 8, mean: [1, 2]}\n",
		"/x/card.yaml:5:36: input.mean: has 2 numbers; needs one, or a list of three, one a channel");
	refused(HEAD "labels: [a]\ninput: {width: 8, height: 8, mean: [1, 2, x]}\n",
		"/x/card.yaml:5:43: input.mean: needs a number, or a list of three, one a channel");
	refused(HEAD "labels: [a]\ninput: {width: 8, height: 8, std: [1, 0, 1]}\n",
		"/x/card.yaml:5:35: input.std: is 0; nothing can be divided by it");
	refused(HEAD "labels: [a]\ninput: {width: 8, height: 8, std: 2, scale: 2}\n",
		"/x/card.yaml:5:45: input.scale: is given beside std; write one of them");
	refused(CARD "text: {table: t}\n", "/x/card.yaml:6:7: text: has no meaning with media: image");
	refused("name: t\nfile: f\nmedia: text\nlabels: [a]\ntext: {table: ''}\n",
		"/x/card.yaml:5:7: text.table: is empty; write the path of an n-gram table");
	refused("name: t\nfile: ''\nmedia: text\nlabels: [a]\n",
		"/x/card.yaml:2:7: file: is empty; write the path of the model file");
}

static void test_labels_are_checked(void **state)
{
	(void)state;
	refused(HEAD "input: {width: 8, height: 8}\nlabels: [a, b, a]\n",
		"/x/card.yaml:5:9: labels: list: labels 1 and 3 are both 'a'; each class needs its own name");
	refused(HEAD "input: {width: 8, height: 8}\nlabels: [a, '']\n",
		"/x/card.yaml:5:9: labels: list:2: an empty label; each class needs a name");
	refused(HEAD "input: {width: 8, height: 8}\nlabels: []\n",
		"/x/card.yaml:5:9: labels: list: no labels; each class needs a name");
	refused(HEAD "input: {width: 8, height: 8}\nlabels: [[a]]\n",
		"/x/card.yaml:5:10: labels: needs a list of names of one line each");
	refused(HEAD "input: {width: 8, height: 8}\nlabels: {a: b}\n",
		"/x/card.yaml:5:9: labels: needs the path of a file of one label a line, or a list of labels");
}

static void test_a_missing_label_file_is_named(void **state)
{
	(void)state;
	struct card *c = NULL;
	struct err err = { 0 };
	assert_int_equal(
		card_parse("/x/card.yaml", slice_of(HEAD "labels: l.txt\ninput: {width: 8, height: 8}\n"), &c, &err),
		-1);
	assert_int_equal(err.class, ERR_RETRY);
	assert_string_equal(err.text, "/x/card.yaml:4:9: labels: open '/x/l.txt': No such file or directory");
}

static void test_the_canonical_text_forgets_how_it_was_written(void **state)
{
	(void)state;
	same(CARD,
		"# c\nmedia: image\nlabels:\n  - cat\n  - dog\ninput:\n  height: 4\n  width: 8\n  crop: 1.0\n  mean: "
		"0\nfile: /other/m.onnx\nname: m\n",
		true);
	same(CARD, CARD "bands: {accept: 0.1, review: 0.05}\n", true);
	same(HEAD "labels: [a]\ninput: {width: 8, height: 4, std: 2}\n",
		HEAD "labels: [a]\ninput: {width: 8, height: 4, scale: 0.5}\n", true);
}

static void test_the_canonical_text_keeps_what_decides(void **state)
{
	(void)state;
	static const char *const others[] = {
		HEAD "labels: [dog, cat]\ninput: {width: 8, height: 4}\n",
		HEAD "labels: [cat, dog]\ninput: {width: 4, height: 8}\n",
		HEAD "labels: [cat, dog]\ninput: {width: 8, height: 4, crop: 0.9}\n",
		HEAD "labels: [cat, dog]\ninput: {width: 8, height: 4, kernel: nearest}\n",
		HEAD "labels: [cat, dog]\ninput: {width: 8, height: 4, fit: stretch}\n",
		HEAD "labels: [cat, dog]\ninput: {width: 8, height: 4, fit: letterbox}\n",
		HEAD "labels: [cat, dog]\ninput: {width: 8, height: 4, layout: nhwc}\n",
		HEAD "labels: [cat, dog]\ninput: {width: 8, height: 4, color: bgr}\n",
		HEAD "labels: [cat, dog]\ninput: {width: 8, height: 4, mean: [0, 0, 1]}\n",
		HEAD "labels: [cat, dog]\ninput: {width: 8, height: 4, std: [1, 1, 2]}\n",
		CARD "output: {activation: sigmoid}\n",
		CARD "output: {name: x}\n",
		"name: n\nfile: m.onnx\nmedia: image\nlabels: [cat, dog]\ninput: {width: 8, height: 4}\n",
	};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		same(CARD, others[i], false);
	same(HEAD "labels: [a]\ninput: {width: 8, height: 4, fit: letterbox, pad: 0}\n",
		HEAD "labels: [a]\ninput: {width: 8, height: 4, fit: letterbox, pad: 1}\n", false);
}

static void test_the_shipped_image_card_is_right(void **state)
{
	(void)state;
	CLEANUP(freep) char *path = real_model("image-default.yaml");
	struct card *c = NULL;
	struct err err = { 0 };
	if (card_load(path, &c, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(c->name, "image-default");
	assert_int_equal(c->label_count, 1000);
	assert_string_equal(c->labels[281], "tabby");
	assert_string_equal(c->labels[967], "espresso");
	assert_float_equal(c->transform.mean[0], 127, 0);
	assert_float_equal(c->transform.scale[0], 1 / 128.0, 0);
	card_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_short_card_has_defaults),
		cmocka_unit_test(test_every_key_is_read),
		cmocka_unit_test(test_one_number_is_for_all_channels_and_scale_multiplies),
		cmocka_unit_test(test_a_text_card_names_its_table),
		cmocka_unit_test(test_mistakes_name_line_key_and_cure),
		cmocka_unit_test(test_labels_are_checked),
		cmocka_unit_test(test_a_missing_label_file_is_named),
		cmocka_unit_test(test_the_canonical_text_forgets_how_it_was_written),
		cmocka_unit_test(test_the_canonical_text_keeps_what_decides),
		cmocka_unit_test(test_the_shipped_image_card_is_right),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
