/* test_config.c - the configuration as scripts rely on it, and what is refused with which words. */
#include "tests/unit/config/config_fixture.h"

static const char contract[] =
	"state_dir: ./state                 # store, index, socket; relative to this file\n"
	"sources:\n"
	"  - name: drop\n"
	"    folder: { path: ./inbox, settle: 2s, reconcile: 1h, store: copy }   # copy | reflink | reference\n"
	"models:                            # an empty list: no inference\n"
	"  - card: models/image-default.yaml\n"
	"    bands: { accept: 0.80, review: 0.30, concepts: { \"tabby\": { accept: 0.60 } } }\n"
	"limits: { memory: 512MiB, object: 10GiB, reserve: 1GiB }\n"
	"normalize: on                      # off: items stay \"committed\", --once does not wait for them; on takes "
	"them up\n";

static void test_the_contract_that_scripts_rely_on(void **state)
{
	struct fixture *f = *state;
	const struct config *c = load(f, contract);
	assert_string_equal(c->file, f->file);
	assert_path(f, c->state_dir, "state");
	assert_int_equal(c->source_count, 1);
	assert_string_equal(c->sources[0].name, "drop");
	assert_string_equal(c->sources[0].scheme, "folder");
	assert_int_equal(c->sources[0].store, STORE_COPY);
	assert_path(f, c->sources[0].folder.path, "inbox");
	assert_int_equal(c->sources[0].folder.settle_ms, 2000);
	assert_int_equal(c->sources[0].folder.reconcile_ms, 3600000);
	assert_int_equal(c->model_count, 1);
	assert_path(f, c->models[0].card, "models/image-default.yaml");
	assert_true(c->models[0].bands.all.accept == 0.80F && c->models[0].bands.all.review == 0.30F);
	assert_true(bands_find(&c->models[0].bands, SLICE_LIT("tabby"))->accept == 0.60F);
	assert_true(bands_find(&c->models[0].bands, SLICE_LIT("tabby"))->review == 0.30F);
	assert_int_equal(c->limits.memory_bytes, 512 << 20);
	assert_int_equal(c->limits.object_bytes, 10ULL << 30);
	assert_int_equal(c->limits.reserve_bytes, 1 << 30);
	assert_true(c->normalize);
}

static void test_only_state_dir_and_sources_are_required(void **state)
{
	struct fixture *f = *state;
	const struct config *c = load(f, "state_dir: state\nsources: [{name: a, folder: {path: in}}]\n");
	assert_int_equal(c->sources[0].folder.settle_ms, 2000);
	assert_int_equal(c->sources[0].folder.reconcile_ms, 3600000);
	assert_int_equal(c->sources[0].folder.poll_ms, 0);
	assert_int_equal(c->sources[0].store, STORE_COPY);
	assert_null(c->sources[0].folder.ignore[0]);
	assert_int_equal(c->model_count, 0);
	assert_true(c->normalize);
	assert_int_equal(c->limits.map_bytes, 256ULL << 30);
	assert_int_equal(c->limits.decode_bytes, 100000000);
	assert_int_equal(c->limits.pixels, 100000000);
	assert_int_equal(c->limits.decode_ms, 30000);
	assert_int_equal(c->limits.attempts, 5);
	assert_int_equal(c->limits.segment_bytes, 1 << 30);
	assert_int_equal(c->batch, 32);
	assert_int_equal(c->batch_age_ms, 50);
	assert_int_equal(c->infer_threads, 0);
	assert_null(c->onnxruntime);
	assert_int_equal(c->fetch_threads, 0);
	assert_int_equal(c->decode_workers, 0);
	refused(f, "sources: []\n",
		"/inlet.yaml:1:1: state_dir: is missing; it has no default (store, index and socket; outside every "
		"watched folder)");
	refused(f, "state_dir: s\n",
		"/inlet.yaml:1:1: sources: is missing; it has no default (list of what is watched; []: nothing, only `inlet import` "
		"brings something in)");
}

static void test_sections_of_threads_and_batches(void **state)
{
	struct fixture *f = *state;
	const struct config *c = load(f, "state_dir: s\nsources: []\nmodels: []\nnormalize: off\n"
					 "inference: {batch: 128, age: 1s, threads: 3, library: lib/ort.so}\n"
					 "fetch: {threads: 4}\ndecode: {workers: 2}\n");
	assert_false(c->normalize);
	assert_int_equal(c->batch, 128);
	assert_int_equal(c->batch_age_ms, 1000);
	assert_int_equal(c->infer_threads, 3);
	assert_path(f, c->onnxruntime, "lib/ort.so");
	assert_int_equal(c->fetch_threads, 4);
	assert_int_equal(c->decode_workers, 2);
	refused(f, "state_dir: s\nsources: []\ninference: {batch: 129}\n",
		"/inlet.yaml:3:20: inference.batch: 129 is out of range; allowed: 1..128");
}

static void test_import_has_columns_and_limits(void **state)
{
	struct fixture *f = *state;
	const struct config *c = load(f, "state_dir: s\nsources: []\n");
	assert_int_equal(c->import.batch, 32);
	assert_int_equal(c->import.field_bytes, 1 << 20);
	assert_int_equal(c->import.input, INPUT_AUTO);
	for (enum manifest_role r = 0; r < MANIFEST_ROLES; r++)
		assert_null(c->import.columns.of[r]);
	c = load(f, "state_dir: s\nsources: []\n"
		    "import: {columns: {url: image_url, label: class}, input: file_path, field: 64KiB, batch: 128}\n");
	assert_int_equal(c->import.batch, 128);
	assert_int_equal(c->import.field_bytes, 64 << 10);
	assert_int_equal(c->import.input, INPUT_FILE_PATH);
	assert_string_equal(c->import.columns.of[ROLE_URL], "image_url");
	assert_string_equal(c->import.columns.of[ROLE_LABEL], "class");
	assert_null(c->import.columns.of[ROLE_ID]);
	refused(f, "state_dir: s\nsources: []\nimport: {columns: {urls: a}}\n",
		"/inlet.yaml:3:20: import.columns.urls: unknown key; did you mean 'url'?");
	refused(f, "state_dir: s\nsources: []\nimport: {batch: 0}\n",
		"/inlet.yaml:3:17: import.batch: 0 is out of range; allowed: 1..128");
}

static void test_paths_are_relative_to_the_file_not_to_us(void **state)
{
	struct fixture *f = *state;
	write_file(f, "inlet.yaml",
		"state_dir: ../state\nsources: [{name: a, folder: {path: /srv/in, ignore: ['*.bak']}}]\n");
	CLEANUP(close_fdp) int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(chdir(f->dir), 0);
	assert_int_equal(config_load("inlet.yaml", &f->c, &f->err), 0);
	assert_int_equal(fchdir(here), 0);
	assert_string_equal(f->c->file, f->file);
	assert_string_equal(f->c->state_dir, "/tmp/state");
	assert_string_equal(f->c->sources[0].folder.path, "/srv/in");
	assert_string_equal(f->c->sources[0].folder.ignore[0], "*.bak");
}

static void test_a_wrong_key_is_named_with_its_place(void **state)
{
	struct fixture *f = *state;
	refused(f, "state_dir: s\nsources:\n  - name: a\n    folder: { path: in, setle: 2s }\n",
		"/inlet.yaml:4:25: sources[0].folder.setle: unknown key; did you mean 'settle'?");
	refused(f, "state_dir: s\nsource: []\n", "/inlet.yaml:2:1: source: unknown key; did you mean 'sources'?");
	refused(f, "state_dir: s\nsources: [{name: a, foldr: {path: in}}]\n",
		"/inlet.yaml:2:21: sources[0].foldr: unknown key; did you mean 'folder'?");
	refused(f, "state_dir: s\nsources: []\nlimits: {memroy: 1GiB}\n",
		"/inlet.yaml:3:10: limits.memroy: unknown key; did you mean 'memory'?");
}

static void test_lists_are_asked_for(void **state)
{
	struct fixture *f = *state;
	refused(f, "state_dir: s\nsources: {name: a}\n",
		"/inlet.yaml:2:10: sources: needs a list: each entry begins with '- '");
	refused(f, "state_dir: s\nsources: []\nmodels: x.yaml\n",
		"/inlet.yaml:3:9: models: needs a list: each entry begins with '- '");
}

static void test_source_names_are_checked(void **state)
{
	struct fixture *f = *state;
	refused(f, "state_dir: s\nsources: [{name: 'a b', folder: {path: in}}]\n",
		"/inlet.yaml:2:18: sources[0].name: 'a b': needs 1 to 64 characters of A-Z a-z 0-9 . _ -");
	refused(f, "state_dir: s\nsources: [{name: '', folder: {path: in}}]\n",
		"/inlet.yaml:2:18: sources[0].name: '': needs 1 to 64 characters of A-Z a-z 0-9 . _ -");
	refused(f, "state_dir: s\nsources:\n- {name: a, folder: {path: in}}\n- {name: a, folder: {path: in2}}\n",
		"/inlet.yaml:4:10: sources[1]: name 'a' is taken by sources[0]; names must be unique");
}

static void test_a_folder_is_listed_once_however_it_is_written(void **state)
{
	struct fixture *f = *state;
	CLEANUP(freep) char *in = mem_printf("%s/in", f->dir);
	CLEANUP(freep) char *link = mem_printf("%s/link", f->dir);
	assert_int_equal(mkdir(in, 0755), 0);
	assert_int_equal(symlink("in", link), 0);
	refused(f, "state_dir: s\nsources:\n- {name: a, folder: {path: in}}\n- {name: b, folder: {path: link/.}}\n",
		"/inlet.yaml:4:28: sources[1].folder.path: $D/in is watched by source 'a' already; list it once");
}

static void test_the_store_may_not_lie_inside_a_watched_folder(void **state)
{
	struct fixture *f = *state;
	refused(f, "state_dir: in/a/state\nsources: [{name: a, folder: {path: in}}]\n",
		"/inlet.yaml:2:36: sources[0].folder.path: the store (state_dir $D/in/a/state) lies inside this "
		"watched folder, $D/in; "
		"move one of them");
	refused(f, "state_dir: in\nsources: [{name: a, folder: {path: in}}]\n",
		"/inlet.yaml:2:36: sources[0].folder.path: the store (state_dir $D/in) lies inside this watched "
		"folder, $D/in; "
		"move one of them");
	(void)load(f, "state_dir: in.state\nsources: [{name: a, folder: {path: in}}]\n");
}

static void test_a_symlink_does_not_hide_the_store(void **state)
{
	struct fixture *f = *state;
	CLEANUP(freep) char *in = mem_printf("%s/in", f->dir);
	CLEANUP(freep) char *link = mem_printf("%s/elsewhere", f->dir);
	assert_int_equal(mkdir(in, 0755), 0);
	assert_int_equal(symlink("in", link), 0);
	refused(f, "state_dir: elsewhere/not/yet\nsources: [{name: a, folder: {path: in}}]\n",
		"/inlet.yaml:2:36: sources[0].folder.path: the store (state_dir $D/in/not/yet) lies inside this "
		"watched folder, $D/in; "
		"move one of them");
}

static void test_a_watched_folder_may_not_lie_inside_the_store(void **state)
{
	struct fixture *f = *state;
	refused(f, "state_dir: .\nsources: [{name: a, folder: {path: in}}]\n",
		"/inlet.yaml:2:36: sources[0].folder.path: this watched folder, $D/in, lies inside the store "
		"(state_dir $D); "
		"move one of them");
	refused(f, "state_dir: /\nsources: [{name: a, folder: {path: in}}]\n",
		"/inlet.yaml:2:36: sources[0].folder.path: this watched folder, $D/in, lies inside the store "
		"(state_dir /); "
		"move one of them");
}

static void test_a_missing_card_names_where_it_was_sought(void **state)
{
	struct fixture *f = *state;
	write_file(f, "inlet.yaml", "state_dir: s\nsources: []\nmodels: [{card: models/nothing.yaml}]\n");
	assert_int_equal(config_load(f->file, &f->c, &f->err), -1);
	CLEANUP(freep)
	char *want = mem_printf(
		"%s:3:17: models[0].card: there is no 'models/nothing.yaml' in %s, nor among the shipped "
		"cards in /",
		f->file, f->dir);
	assert_memory_equal(f->err.text, want, strlen(want));
	refused(f, "state_dir: s\nsources: []\nmodels: [{card: /no/card.yaml}]\n",
		"/inlet.yaml:3:17: models[0].card: there is no file '/no/card.yaml'; write the path of a model card");
	refused(f, "state_dir: s\nsources: []\nmodels: [{bands: {accept: 1}}]\n",
		"/inlet.yaml:3:10: models[0].card: is missing; it has no default (model card: beside this file, else "
		"among the shipped "
		"ones)");
}

static void test_a_card_is_used_once(void **state)
{
	struct fixture *f = *state;
	refused(f,
		"state_dir: s\nsources: []\nmodels:\n- card: models/banded.yaml\n- card: "
		"./models/../models/banded.yaml\n",
		"/inlet.yaml:5:3: models[1]: this card is used by models[0] too");
}

static void test_bands_of_the_configuration_stand_above_the_cards(void **state)
{
	struct fixture *f = *state;
	const struct bands *b =
		&load(f, "state_dir: s\nsources: []\nmodels: [{card: models/banded.yaml}]\n")->models[0].bands;
	assert_true(b->all.accept == 0.9F && b->all.review == 0.5F);
	assert_true(bands_find(b, SLICE_LIT("cat"))->accept == 0.6F && bands_find(b, SLICE_LIT("cat"))->review == 0.5F);
	assert_true(bands_find(b, SLICE_LIT("dog"))->accept == 0.9F && bands_find(b, SLICE_LIT("dog"))->review == 0.1F);
	b = &load(f, "state_dir: s\nsources: []\nmodels: [{card: models/banded.yaml, bands: {accept: 0.7, concepts: "
		     "{dog: {accept: 1}, "
		     "ant: {}}}}]\n")
		     ->models[0]
		     .bands;
	assert_true(b->all.accept == 0.7F && b->all.review == 0.5F);
	assert_int_equal(b->count, 3);
	assert_true(bands_find(b, SLICE_LIT("cat"))->accept == 0.6F);
	assert_true(bands_find(b, SLICE_LIT("dog"))->accept == 1 && bands_find(b, SLICE_LIT("dog"))->review == 0.5F);
	assert_true(bands_find(b, SLICE_LIT("ant"))->accept == 0.7F);
}

static void test_one_bound_moves_the_other_only_as_far_as_it_must(void **state)
{
	struct fixture *f = *state;
	const struct bands *b = &load(
		f, "state_dir: s\nsources: []\nmodels: [{card: models/image-default.yaml, bands: {accept: 0.2}}]\n")
					 ->models[0]
					 .bands;
	assert_true(b->all.accept == 0.2F && b->all.review == 0.2F);
	b = &load(f, "state_dir: s\nsources: []\nmodels: [{card: models/image-default.yaml, bands: {review: 0.9}}]\n")
		     ->models[0]
		     .bands;
	assert_true(b->all.accept == 0.9F && b->all.review == 0.9F);
}

static void test_bands_out_of_order_are_refused(void **state)
{
	struct fixture *f = *state;
	refused(f,
		"state_dir: s\nsources: []\nmodels: [{card: models/image-default.yaml, bands: {accept: 0.3, review: "
		"0.8}}]\n",
		"/inlet.yaml:3:73: models[0].bands.review: 0.8 lies above accept, 0.3; needs 0 <= review <= accept <= "
		"1");
	refused(f,
		"state_dir: s\nsources: []\nmodels: [{card: models/image-default.yaml, bands: {concepts: {cat: "
		"{accept: 1.2}}}}]\n",
		"/inlet.yaml:3:77: models[0].bands.concepts.cat.accept: 1.2 is out of range; allowed: 0..1");
	write_file(f, "models/wrong.yaml", "bands: {acept: 1}\n");
	refused(f, "state_dir: s\nsources: []\nmodels: [{card: models/wrong.yaml}]\n",
		"/models/wrong.yaml:1:9: bands.acept: unknown key; did you mean 'accept'?");
}

static void test_help_prints_every_section(void **state)
{
	(void)state;
	CLEANUP(freep) char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	assert_non_null(to);
	config_help(to);
	(void)fclose(to);
	static const char *const keys[] = { "  state_dir ", "  sources[].name ", "  sources[].folder.settle ",
		"  sources[].s3.region ", "  sources[].gcs.user_project ", "  sources[].gcs.on_gone ",
		"  models[].card ", "  models[].bands.accept ", "  limits.reserve ", "  inference.batch ",
		"  fetch.threads ", "  decode.workers " };
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_non_null(strstr(text, keys[i]));
}

static void test_networks_are_networks(void **state)
{
	struct fixture *f = *state;
	const struct config *c = load(f, "state_dir: s\nsources: []\nfetch: {networks: [10.1.0.0/16, 'fd00::/8', 127.0.0.1]}\n");
	assert_string_equal(c->networks[2], "127.0.0.1");
	refused(f, "state_dir: s\nsources: []\nfetch:\n  networks: [10.1.0.0/16, intranet]\n",
		"/inlet.yaml:4:27: fetch.networks: 'intranet' is no network: write 10.0.0.0/8, fd00::/8 or one address; names are not taken");
	refused(f, "state_dir: s\nsources: []\nfetch: {networks: [10.1.2.3/8]}\n",
		"/inlet.yaml:3:20: fetch.networks: '10.1.2.3/8' has bits set behind its prefix; the network is 10.0.0.0/8");
	refused(f, "state_dir: s\nsources: []\nfetch: {networks: [10.0.0.0/33]}\n",
		"/inlet.yaml:3:20: fetch.networks: '10.0.0.0/33': needs a prefix of 0 to 32 bits behind the '/'");
}

static void assert_found(const char *given, const char *file)
{
	const char *found = NULL;
	struct err err;
	if (config_find(given, &found, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(found, file);
}

static void test_which_file_a_program_reads(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(close_fdp) int before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *found;
	struct err err;
	assert_int_equal(chdir(f->dir), 0);
	(void)unsetenv("INLET_CONFIG");
	assert_found("given.yaml", "given.yaml"); /* whether it is there, config_load() says */
	assert_int_equal(symlink("nowhere", "inlet.yaml"), 0); /* nobody means another file by it */
	assert_found(NULL, "inlet.yaml");
	(void)setenv("INLET_CONFIG", "", 1);
	assert_found(NULL, "inlet.yaml");
	(void)setenv("INLET_CONFIG", "named.yaml", 1);
	assert_found("given.yaml", "given.yaml");
	assert_int_equal(config_find(NULL, &found, &err), -1);
	assert_int_equal(err.class, ERR_REJECT);
	assert_non_null(strstr(err.text, "--config FILE"));
	assert_non_null(strstr(err.text, "'named.yaml'"));
	assert_int_equal(rename("inlet.yaml", "named.yaml"), 0);
	assert_found(NULL, "named.yaml");
	(void)unsetenv("INLET_CONFIG");
	assert_int_equal(unlink("named.yaml"), 0);
	assert_int_equal(fchdir(before), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_networks_are_networks),
		TEST(test_which_file_a_program_reads),
		TEST(test_the_contract_that_scripts_rely_on),
		TEST(test_only_state_dir_and_sources_are_required),
		TEST(test_sections_of_threads_and_batches),
		TEST(test_import_has_columns_and_limits),
		TEST(test_paths_are_relative_to_the_file_not_to_us),
		TEST(test_a_wrong_key_is_named_with_its_place),
		TEST(test_lists_are_asked_for),
		TEST(test_source_names_are_checked),
		TEST(test_a_folder_is_listed_once_however_it_is_written),
		TEST(test_the_store_may_not_lie_inside_a_watched_folder),
		TEST(test_a_symlink_does_not_hide_the_store),
		TEST(test_a_watched_folder_may_not_lie_inside_the_store),
		TEST(test_a_missing_card_names_where_it_was_sought),
		TEST(test_a_card_is_used_once),
		TEST(test_bands_of_the_configuration_stand_above_the_cards),
		TEST(test_one_bound_moves_the_other_only_as_far_as_it_must),
		TEST(test_bands_out_of_order_are_refused),
		TEST(test_help_prints_every_section),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
