/* test_named_files.c - what config_check() finds out about files before a daemon does. */
#include "tests/unit/config/config_fixture.h"

/* A self-signed certificate of an elliptic key: what `openssl req -x509` writes. */
static const char certificate[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBgTCCASegAwIBAgIUVrniKd0/nwwHP1BfyeY+KlEQ+5gwCgYIKoZIzj0EAwIw\n"
	"FTETMBEGA1UEAwwKaW5sZXQgdGVzdDAgFw0yNjExMjUxMTI2MzdaGA8yMTI2MTEw\n"
	"MTExMjYzN1owFTETMBEGA1UEAwwKaW5sZXQgdGVzdDBZMBMGByqGSM49AgEGCCqG\n"
	"SM49AwEHA0IABBXNupmtEr3FRWF4J75epiycOAP5IUf1n2U7swSEtuwIZTyBhYF3\n"
	"bH3/DcqCuWE3L8VEJGw0zHZEROo7iDEt+AWjUzBRMB0GA1UdDgQWBBTawVyALx1R\n"
	"ybUHoLh3GpvdGVJEZzAfBgNVHSMEGDAWgBTawVyALx1RybUHoLh3GpvdGVJEZzAP\n"
	"BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQCIykuTnBXf7M0jBWdu\n"
	"kLEpniU96tiSRHTJSKQZMvsDDwIgDrQbeL/pbzVFcE+hJjXwqfC8LwLimQnMl4BY\n"
	"UPtEx1o=\n"
	"-----END CERTIFICATE-----\n";

#define HEAD "state_dir: s\nsources:\n- name: a\n  "

static void checked(struct fixture *f, const char *text)
{
	CLEANUP(freep) char *all = mem_printf(HEAD "%s\n", text);
	write_file(f, "inlet.yaml", all);
	config_free(TAKE_PTR(f->c));
	if (config_check(f->file, &f->c, &f->err) < 0)
		fail_msg("%s", f->err.text);
}

/* config_load() takes it all the same: a daemon runs on with the other sources. */
static void not_checked(struct fixture *f, const char *text, const char *message)
{
	CLEANUP(freep) char *all = mem_printf(HEAD "%s\n", text);
	(void)load(f, all);
	config_free(TAKE_PTR(f->c));
	assert_int_equal(config_check(f->file, &f->c, &f->err), -1);
	assert_refused(f, "/inlet.yaml:4:", message);
}

static void test_the_authority_is_pem(void **state)
{
	struct fixture *f = *state;
	write_file(f, "one.pem", certificate);
	CLEANUP(freep) char *two = mem_printf("# comment\n%s\n%s", certificate, certificate);
	write_file(f, "two.pem", two);
	checked(f, "s3: {bucket: photos, ca_file: one.pem}");
	checked(f, "gcs: {bucket: photos, ca_file: two.pem}");
	not_checked(f, "s3: {bucket: photos, ca_file: no.pem}",
		"33: sources[0].s3.ca_file: '$D/no.pem': No such file or directory");
	not_checked(f, "gcs: {bucket: photos, ca_file: .}", "34: sources[0].gcs.ca_file: '$D': is no file");
	write_file(f, "text", "not a certificate\n");
	not_checked(f, "s3: {bucket: photos, ca_file: text}", "33: sources[0].s3.ca_file: '$D/text': holds no certificate in PEM form "
		"(-----BEGIN CERTIFICATE-----); DER is turned into it by openssl x509 -inform der");
	write_file(f, "key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
	not_checked(f, "s3: {bucket: photos, ca_file: key.pem}", "33: sources[0].s3.ca_file: '$D/key.pem': holds no certificate in PEM "
		"form (-----BEGIN CERTIFICATE-----); DER is turned into it by openssl x509 -inform der");
	CLEANUP(freep) char *cut = mem_printf("%s%.200s", certificate, certificate);
	write_file(f, "cut.pem", cut);
	not_checked(f, "s3: {bucket: photos, ca_file: cut.pem}",
		"33: sources[0].s3.ca_file: '$D/cut.pem': certificate 2 in it is damaged");
}

static void test_credentials_are_there(void **state)
{
	struct fixture *f = *state;
	write_file(f, "keys", "[default]\n");
	checked(f, "s3: {bucket: photos, credentials: keys}");
	checked(f, "gcs: {bucket: photos, credentials: keys}");
	not_checked(f, "s3: {bucket: photos, credentials: no/keys}",
		"37: sources[0].s3.credentials: '$D/no/keys': No such file or directory");
	not_checked(f, "gcs: {bucket: photos, credentials: keys/x}", "38: sources[0].gcs.credentials: '$D/keys/x': Not a directory");
	/* systemd makes this one when it starts the service. */
	checked(f, "s3: {bucket: photos, credentials: /run/credentials/inletd.service/no-such}");
}

static void test_who_may_not_read_is_told_who_he_is(void **state)
{
	struct fixture *f = *state;
	if (geteuid() == 0)
		skip(); /* root reads everything; the integration test asks as somebody else */
	write_file(f, "keys", "[default]\n");
	CLEANUP(freep) char *path = mem_printf("%s/keys", f->dir);
	assert_int_equal(chmod(path, 0), 0);
	CLEANUP(freep) char *want = mem_printf("37: sources[0].s3.credentials: '$D/keys' cannot be read by user %u: give the user of inletd "
		"the right to, or check as that user", geteuid());
	not_checked(f, "s3: {bucket: photos, credentials: keys}", want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_authority_is_pem), TEST(test_credentials_are_there), TEST(test_who_may_not_read_is_told_who_he_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
