/* test_source_config.c - buckets as they are configured, and what is refused with which words. */
#include "tests/unit/config/config_fixture.h"

#define HEAD "state_dir: s\nsources:\n- name: a\n  "

static const struct source_config *source(struct fixture *f, const char *text)
{
	CLEANUP(freep) char *all = mem_printf(HEAD "%s\n", text);
	return &load(f, all)->sources[0];
}

static void refused_source(struct fixture *f, const char *text, const char *message)
{
	CLEANUP(freep) char *all = mem_printf(HEAD "%s\n", text);
	CLEANUP(freep) char *want = mem_printf("/inlet.yaml:4:%s", message);
	refused(f, all, want);
}

static void test_a_bucket_needs_only_its_name(void **state)
{
	const struct source_config *s = source(*state, "s3: {bucket: photos}");
	assert_string_equal(s->scheme, "s3");
	assert_string_equal(s->bucket.bucket, "photos");
	assert_ptr_equal(&s->bucket, &s->s3.at);
	assert_null(s->bucket.prefix);
	assert_null(s->bucket.endpoint);
	assert_null(s->bucket.include[0]);
	assert_null(s->bucket.exclude[0]);
	assert_int_equal(s->bucket.poll_ms, 300000);
	assert_int_equal(s->bucket.concurrency, 0);
	assert_int_equal(s->store, STORE_COPY);
	assert_int_equal(s->on_gone, ON_GONE_KEEP);
	assert_true(s->max_vanish == 0.2F);
	assert_false(s->s3.path_style || s->s3.anonymous || s->s3.request_payer);
	assert_null(s->s3.region);
	s = source(*state, "gcs: {bucket: photos}");
	assert_string_equal(s->scheme, "gcs");
	assert_ptr_equal(&s->bucket, &s->gcs.at);
	assert_null(s->gcs.credentials);
	assert_null(s->gcs.user_project);
}

static void test_every_option_of_s3(void **state)
{
	struct fixture *f = *state;
	const struct source_config *s = source(f,
		"s3: {bucket: bkt, prefix: /x/, include: ['*.jpg', '*.png'], exclude: ['tmp/*'], endpoint: 'https://h:9000/', region: "
		"eu-1, path_style: off, profile: p, credentials: keys/aws, poll: 10s, concurrency: 32, store: reference, "
		"ca_file: ca.pem, proxy: 'http://p:3128', request_payer: on, max_vanish: 0.5, on_gone: exclude}");
	assert_string_equal(s->bucket.prefix, "/x/");
	assert_string_equal(s->bucket.include[1], "*.png");
	assert_string_equal(s->bucket.exclude[0], "tmp/*");
	assert_string_equal(s->bucket.endpoint, "https://h:9000");
	assert_string_equal(s->bucket.proxy, "http://p:3128");
	assert_path(f, s->bucket.ca_file, "ca.pem");
	assert_int_equal(s->bucket.poll_ms, 10000);
	assert_int_equal(s->bucket.concurrency, 32);
	assert_int_equal(s->store, STORE_REFERENCE);
	assert_int_equal(s->on_gone, ON_GONE_EXCLUDE);
	assert_true(s->max_vanish == 0.5F);
	assert_string_equal(s->s3.region, "eu-1");
	assert_false(s->s3.path_style);
	assert_string_equal(s->s3.profile, "p");
	assert_path(f, s->s3.credentials, "keys/aws");
	assert_true(s->s3.request_payer);
}

static void test_an_endpoint_of_ones_own_is_asked_in_path_style(void **state)
{
	assert_true(source(*state, "s3: {bucket: bkt, endpoint: 'http://127.0.0.1:9000'}")->s3.path_style);
	assert_false(source(*state, "s3: {bucket: bkt, endpoint: 'http://[::1]:9000', path_style: no}")->s3.path_style);
}

static void test_options_of_gcs(void **state)
{
	struct fixture *f = *state;
	const struct source_config *s = source(f, "gcs: {bucket: bkt, credentials: /run/key.json, user_project: mine, poll: 1m}");
	assert_string_equal(s->gcs.credentials, "/run/key.json");
	assert_string_equal(s->gcs.user_project, "mine");
	refused_source(f, "gcs: {bucket: bkt, region: x}",
		"22: sources[0].gcs.region: unknown key; known are: bucket, prefix, include, exclude, endpoint, ca_file, proxy, poll, "
		"concurrency, store, credentials, user_project, anonymous, labels_from, sidecars, on_gone, max_vanish");
}

static void test_a_source_of_manifests(void **state)
{
	struct fixture *f = *state;
	const struct config *c = load(f, "state_dir: s\nimport: {columns: {url: bild}, input: raw}\nsources:\n"
		"  - {name: a, manifest: {folder: {path: lists}}}\n"
		"  - {name: b, manifest: {folder: {path: more}, roots: [pics, /srv/pics], names: ['*.csv'], input: auto, format: csv,\n"
		"      columns: {label: klasse}}}\n"
		"  - {name: c, manifest: {s3: {bucket: xyz, prefix: lists/}}}\n"
		"  - {name: d, folder: {path: lists}}\n");
	const struct source_config *a = &c->sources[0], *b = &c->sources[1];
	assert_string_equal(a->scheme, "folder");
	assert_path(f, a->folder.path, "lists");
	assert_path(f, a->manifest->roots[0], "lists");
	assert_null(a->manifest->roots[1]);
	assert_string_equal(a->manifest->columns.of[ROLE_URL], "bild");
	assert_int_equal(a->manifest->input, INPUT_RAW);
	assert_path(f, b->manifest->roots[0], "pics");
	assert_string_equal(b->manifest->roots[1], "/srv/pics");
	assert_string_equal(b->manifest->names[0], "*.csv");
	assert_int_equal(b->manifest->input, INPUT_AUTO);
	assert_int_equal(b->manifest->format, MANIFEST_CSV);
	assert_null(b->manifest->columns.of[ROLE_URL]);
	assert_string_equal(b->manifest->columns.of[ROLE_LABEL], "klasse");
	assert_string_equal(c->sources[2].scheme, "s3");
	assert_null(c->sources[2].manifest->roots[0]);
	assert_null(c->sources[3].manifest);
#define REFUSED(manifest, message) refused(f, "state_dir: s\nsources:\n  - {name: a, manifest: {" manifest "}}\n", message)
	REFUSED("roots: [x]", "/inlet.yaml:3:25: sources[0].manifest: needs where the lists arrive: one of folder, s3, gcs");
	REFUSED("folder: {path: l, store: reference}", "/inlet.yaml:3:51: sources[0].manifest.folder.store: says what becomes of a "
		"source's own files; a manifest is no item, and what its rows name is copied and kept: leave it out");
	REFUSED("s3: {bucket: xyz}, roots: [p]", "/inlet.yaml:3:52: sources[0].manifest.roots: are folders of this machine; rows of a "
		"manifest in a bucket name keys beside it, s3:// and gs:// objects of configured buckets, or URLs");
	REFUSED("folder: {path: l}, roots: [s/large]", "/inlet.yaml:3:53: sources[0].manifest.roots: $D/s/large lies inside the store "
		"(state_dir $D/s); name the folder of the files");
	REFUSED("folder: {path: s/x}", "/inlet.yaml:3:41: sources[0].manifest.folder.path: this watched folder, $D/s/x, lies inside the "
		"store (state_dir $D/s); move one of them");
#undef REFUSED
	refused(f, "state_dir: s\nsources:\n  - {name: a, folder: {path: l}, manifest: {folder: {path: m}}}\n",
		"/inlet.yaml:3:44: sources[0].manifest: this source has 'folder' already; write that into `manifest`, if lists arrive there");
}

static void test_a_source_is_of_one_kind(void **state)
{
	struct fixture *f = *state;
	refused(f, "state_dir: s\nsources: [{name: a}]\n",
		"/inlet.yaml:2:11: sources[0]: needs what it takes objects from: one of folder, s3, gcs, manifest");
	refused_source(f, "s3: {bucket: bkt}\n  folder: {path: in}",
		"7: sources[0].s3: this source has 'folder' already; give each its own entry with a name");
	refused_source(f, "s3: {buckett: b}", "8: sources[0].s3.buckett: unknown key; did you mean 'bucket'?");
	refused_source(f, "s3: {}", "7: sources[0].s3.bucket: is missing; it has no default (its name)");
}

static void test_an_option_beside_its_section(void **state)
{
	struct fixture *f = *state;
	refused(f, "state_dir: s\nsources:\n  - name: a\n    labels_from: directory\n    folder: {path: in}\n",
		"/inlet.yaml:4:5: sources[0].labels_from: unknown key; it belongs inside 'folder': indent it beneath that");
	refused(f, "state_dir: s\nsources:\n  - {name: a, path: in}\n",
		"/inlet.yaml:3:15: sources[0].path: unknown key; it belongs inside 'folder'");
	refused(f, "state_dir: s\nsources:\n  - {name: a, bucket: b, region: x}\n",
		"/inlet.yaml:3:15: sources[0].bucket: unknown key; it belongs inside 's3' or 'gcs'");
	refused(f, "state_dir: s\nsources:\n  - {name: a, settle: 1s, s3: {bucket: xyz}}\n",
		"/inlet.yaml:3:15: sources[0].settle: unknown key; it belongs inside 'folder'");
	refused(f, "state_dir: s\nsources:\n  - {name: a, manifest: {poll: 1m, s3: {bucket: xyz}}}\n",
		"/inlet.yaml:3:26: sources[0].manifest.poll: unknown key; it belongs inside 's3': indent it beneath that");
}

static void test_the_bucket_is_a_name(void **state)
{
	struct fixture *f = *state;
	refused_source(f, "s3: {bucket: ''}", "16: sources[0].s3.bucket: is empty; write the bucket's name");
	refused_source(f, "s3: {bucket: 's3://photos/2024'}",
		"16: sources[0].s3.bucket: 's3://photos/2024': needs only the name, 'photos'; what follows it belongs into "
		"`prefix`, where it is into `endpoint`");
	refused_source(f, "s3: {bucket: 'a b'}", "16: sources[0].s3.bucket: 'a b' is no bucket's name at Amazon: 3 to 63 of a-z 0-9 . - (one from before 2018 may have more, "
		"with `region: us-east-1`; for another server say `endpoint`)");
	refused_source(f, "gcs: {bucket: Scans}",
		"17: sources[0].gcs.bucket: 'Scans' is no bucket's name at Google: 3 to 63 of a-z 0-9 . - _ (222 with dots)");
	refused_source(f, "gcs: {bucket: 10.0.0.1}", "17: sources[0].gcs.bucket: '10.0.0.1' is an address, and no bucket is called like "
		"one; a server of one's own is named in `endpoint`");
	/* Amazon's old region, and servers of one's own, have names that Amazon does not give away any more. */
	(void)source(f, "s3: {bucket: My_Photos, region: us-east-1}");
	(void)source(f, "s3: {bucket: My_Photos, endpoint: 'http://ceph:7480'}");
	(void)source(f, "s3: {bucket: b, endpoint: 'http://ceph:7480'}");
	(void)source(f, "gcs: {bucket: b, endpoint: 'http://127.0.0.1:4443'}");
	refused_source(f, "s3: {bucket: '..', endpoint: 'http://ceph:7480'}",
		"16: sources[0].s3.bucket: '..' is no bucket's name: it would be a step in a path");
}

static void test_secrets_are_refused_and_not_repeated(void **state)
{
	struct fixture *f = *state;
	static const char cure[] = "secrets are not written here, where backups and colleagues see them: put it into a file that "
				   "only the daemon can read and name that with `credentials`";
	struct {
		const char *text, *where;
	} cases[] = {
		{ "s3: {bucket: bkt, secret_access_key: CANARY}", "21: sources[0].s3.secret_access_key: " },
		{ "s3: {bucket: bkt, Access_Key: CANARY}", "21: sources[0].s3.Access_Key: " },
		{ "gcs: {bucket: bkt, token: CANARY}", "22: sources[0].gcs.token: " },
		{ "gcs: {bucket: bkt, credentials: {private_key: CANARY}}",
			"35: sources[0].gcs.credentials: holds the credentials themselves; " },
		{ "gcs: {bucket: bkt, credentials: '{\"private_key\": \"CANARY\"}'}",
			"35: sources[0].gcs.credentials: holds the credentials themselves; " },
		{ "s3: {bucket: bkt, credentials: 'AKIAIOSFODNN7EXAMPLE:CANARY/EXAMPLEKEY'}",
			"34: sources[0].s3.credentials: holds the credentials themselves; " },
		{ "s3: {bucket: bkt, credentials: wJalrXUtnFEMI/K7MDENG/bPxRfiCYCANARYKEY1}",
			"34: sources[0].s3.credentials: holds the credentials themselves; " },
		{ "s3: {bucket: bkt, endpoint: 'https://me:CANARY@host'}",
			"31: sources[0].s3.endpoint: has a user name or password in it; " },
		{ "s3: {bucket: bkt, proxy: 'http://me:CANARY@host'}",
			"28: sources[0].s3.proxy: has a user name or password in it; " },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CLEANUP(freep) char *message = mem_printf("%s%s", cases[i].where, cure);
		refused_source(f, cases[i].text, message);
		assert_null(strstr(f->err.text, "CANARY"));
	}
}

static void test_places_on_the_network_are_hosts(void **state)
{
	struct fixture *f = *state;
	refused_source(f, "s3: {bucket: bkt, endpoint: 'host:9000'}",
		"31: sources[0].s3.endpoint: 'host:9000': needs https:// in front of the host");
	refused_source(f, "s3: {bucket: bkt, endpoint: 'https://host/bucket'}",
		"31: sources[0].s3.endpoint: 'https://host/bucket': needs only a host and perhaps a port behind the scheme");
	refused_source(f, "s3: {bucket: bkt, endpoint: 'https://'}",
		"31: sources[0].s3.endpoint: 'https://': no host stands there: a name, an IPv4 address or an IPv6 address in brackets");
	refused_source(f, "gcs: {bucket: bkt, endpoint: 'https://host:99999'}",
		"32: sources[0].gcs.endpoint: 'https://host:99999': its port is not a number from 1 to 65535");
	refused_source(f, "s3: {bucket: bkt, proxy: 'ftp://host'}",
		"28: sources[0].s3.proxy: 'ftp://host': needs http:// in front of the host");
	refused_source(f, "s3: {bucket: bkt, proxy: 'http://proxy'}", "28: sources[0].s3.proxy: 'http://proxy': needs the proxy's port, such "
		"as http://proxy:3128; proxies have no usual one");
	refused_source(f, "s3: {bucket: bkt, proxy: 'http://[::1:3128'}",
		"28: sources[0].s3.proxy: 'http://[::1:3128': no IPv6 address stands in the brackets");
	refused_source(f, "s3: {bucket: bkt, region: 'eu/1'}",
		"29: sources[0].s3.region: 'eu/1': needs a name such as eu-central-1");
}

static void test_what_a_bucket_cannot_do(void **state)
{
	struct fixture *f = *state;
	refused_source(f, "s3: {bucket: bkt, store: reflink}",
		"28: sources[0].s3.store: 'reflink': needs one of copy, reference");
	refused_source(f, "s3: {bucket: bkt, on_gone: erase}",
		"30: sources[0].s3.on_gone: 'erase' is not possible yet: what is stored stays stored; `exclude` leaves such items "
		"out of exports");
	refused_source(f, "s3: {bucket: bkt, include: [a, '']}",
		"34: sources[0].s3.include: an empty pattern matches no key; '*' matches every one, '*.jpg' those that end so");
	refused_source(f, "s3: {bucket: bkt, anonymous: on, profile: p}",
		"32: sources[0].s3.anonymous: is on, and credentials are named too; a public bucket needs none, any other needs them: "
		"remove one of the two");
	refused_source(f, "gcs: {bucket: bkt, concurrency: 257}",
		"35: sources[0].gcs.concurrency: 257 is out of range; allowed: 0..256");
}

static void test_a_bucket_is_listed_once(void **state)
{
	struct fixture *f = *state;
	refused(f, HEAD "s3: {bucket: bkt, prefix: x}\n- name: c\n  s3: {bucket: bkt, prefix: x, poll: 1m}\n",
		"/inlet.yaml:6:16: sources[1].s3.bucket: 'bkt' is synced by source 'a' already; list it once");
	(void)load(f, HEAD "s3: {bucket: bkt}\n- {name: c, gcs: {bucket: bkt}}\n- {name: d, s3: {bucket: bkt, prefix: x}}\n"
			   "- {name: e, s3: {bucket: bkt, include: ['*.jpg']}}\n- {name: f, s3: {bucket: bkt, endpoint: 'https://h'}}\n");
}

static void test_folders_say_what_becomes_of_what_is_gone(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(source(f, "folder: {path: in}")->on_gone, ON_GONE_KEEP);
	assert_int_equal(source(f, "folder: {path: in}")->sidecars, SIDECARS_OFF);
	assert_int_equal(source(f, "folder: {path: in, sidecars: off}")->sidecars, SIDECARS_OFF);
	assert_int_equal(source(f, "folder: {path: in, sidecars: json}")->sidecars, SIDECARS_JSON);
	assert_int_equal(source(f, "s3: {bucket: bkt, sidecars: json}")->sidecars, SIDECARS_JSON);
	refused_source(f, "folder: {path: in, sidecars: jsn}", "32: sources[0].folder.sidecars: 'jsn': needs one of off, json");
	refused_source(f, "manifest: {folder: {path: in, sidecars: json}}", "43: sources[0].manifest.folder.sidecars: says what becomes of a "
		"source's own files; a manifest is no item, and what its rows name is copied and kept: leave it out");
	const struct source_config *s = source(f, "folder: {path: in, on_gone: exclude, max_vanish: 1}");
	assert_int_equal(s->on_gone, ON_GONE_EXCLUDE);
	assert_true(s->max_vanish == 1.0F);
	refused_source(f, "folder: {path: in, max_vanish: 20}", "34: sources[0].folder.max_vanish: 20 is out of range; allowed: 0..1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_bucket_needs_only_its_name),
		TEST(test_every_option_of_s3),
		TEST(test_an_endpoint_of_ones_own_is_asked_in_path_style),
		TEST(test_options_of_gcs),
		TEST(test_a_source_of_manifests),
		TEST(test_a_source_is_of_one_kind),
		TEST(test_an_option_beside_its_section),
		TEST(test_the_bucket_is_a_name),
		TEST(test_secrets_are_refused_and_not_repeated),
		TEST(test_places_on_the_network_are_hosts),
		TEST(test_what_a_bucket_cannot_do),
		TEST(test_a_bucket_is_listed_once),
		TEST(test_folders_say_what_becomes_of_what_is_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
