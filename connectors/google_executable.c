/* google_executable.c - a program of the user's prints the token of another issuer as JSON. */
#include "connectors/google_subject.h"

#include "connectors/google_credentials.h"
#include "connectors/google_wire.h"
#include "connectors/helper.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"

#include <fcntl.h>

#define TIMEOUT_MS 30000
#define TIMEOUT_MIN_MS 5000
#define TIMEOUT_MAX_MS 120000
#define VARIABLES_MAX 5
#define PROGRAM "credential_source.executable"

extern char **environ;

/* What the program gets to know, and all that we have ourselves. */
struct environment {
	char *own[VARIABLES_MAX];
	size_t own_count;
	char **all;
};

static void add_variable(struct environment *e, const char *name, const char *value, size_t len)
{
	if (value)
		e->own[e->own_count++] = mem_printf("GOOGLE_EXTERNAL_ACCOUNT_%s=%.*s", name, (int)len, value);
}

static void fill_environment(struct environment *e, const json_t *file)
{
	const char *audience = google_member(file, "audience"), *type = google_member(file, "subject_token_type");
	const char *acts = google_member(file, "service_account_impersonation_url");
	const char *output = google_member(file, "credential_source.executable.output_file");
	const char *email = acts ? strrchr(acts, '/') : NULL; /* ".../serviceAccounts/EMAIL:generateAccessToken" */
	size_t count = 0;
	add_variable(e, "AUDIENCE", audience, strlen(audience));
	add_variable(e, "TOKEN_TYPE", type, strlen(type));
	add_variable(e, "INTERACTIVE", "0", 1);
	add_variable(e, "IMPERSONATED_EMAIL", email ? email + 1 : NULL, email ? strcspn(email + 1, ":") : 0);
	add_variable(e, "OUTPUT_FILE", output, output ? strlen(output) : 0);
	while (environ[count])
		count++;
	e->all = mem_zero(count + e->own_count + 1, sizeof(*e->all));
	memcpy(e->all, e->own, e->own_count * sizeof(*e->all)); /* first: getenv() finds these */
	memcpy(e->all + e->own_count, environ, count * sizeof(*e->all));
}

static void environment_done(struct environment *e)
{
	for (size_t i = 0; i < e->own_count; i++)
		free(e->own[i]);
	free(e->all);
}

/* A good answer's token. lasting: it must say until when, and that must lie ahead. */
static int pick(const json_t *answer, bool lasting, struct buf *to, struct err *err)
{
	const char *type = google_member(answer, "token_type");
	const json_t *until = json_object_get(answer, "expiration_time");
	bool saml = type && strcmp(type, "urn:ietf:params:oauth:token-type:saml2") == 0;
	const char *token = google_member(answer, saml ? "saml_response" : "id_token");
	if (json_integer_value(json_object_get(answer, "version")) != 1)
		return err_set(err, ERR_RETRY, 0, PROGRAM " answers in another version than 1");
	if (!json_is_true(json_object_get(answer, "success"))) {
		const char *code = google_member(answer, "code");
		return err_set(err, ERR_RETRY, 0, PROGRAM " says that it failed, code '%.40s'; run it by hand as the user of inletd",
			code ? code : "");
	}
	if (!type || !token)
		return err_set(err, ERR_RETRY, 0, PROGRAM " answers without token_type and %s", saml ? "saml_response" : "id_token");
	if (lasting && !json_is_integer(until))
		return err_set(err, ERR_RETRY, 0, PROGRAM " answers without expiration_time, which an output_file needs");
	if (json_is_integer(until) && json_integer_value(until) <= clock_wall_ms() / 1000)
		return err_set(err, ERR_RETRY, 0, PROGRAM " answers with a token that has ended");
	(void)buf_grow(to, strlen(token));
	buf_str(to, token);
	return 0;
}

/* Whatever is wrong with what an earlier run left, this run puts it right. */
static bool is_kept(const char *path, struct buf *to)
{
	CLEANUP(buf_wipe) struct buf text = { 0 };
	bool good = false;
	if (!path)
		return false;
	(void)buf_grow(&text, HELPER_OUTPUT_MAX);
	if (file_slurp(AT_FDCWD, path, HELPER_OUTPUT_MAX, &text, NULL) < 0)
		return false;
	json_t *answer = json_loadb(text.data, text.len, 0, NULL);
	good = pick(answer, true, to, NULL) == 0;
	google_json_wipe(answer);
	return good;
}

static int run(const json_t *file, const json_t *executable, const struct google_rules *rules, struct buf *to, struct err *err)
{
	const json_t *limit = json_object_get(executable, "timeout_millis");
	json_int_t limit_ms = limit ? json_integer_value(limit) : TIMEOUT_MS;
	CLEANUP(buf_wipe) struct buf text = { 0 };
	struct environment environment = { .own_count = 0 };
	if (limit_ms < TIMEOUT_MIN_MS || limit_ms > TIMEOUT_MAX_MS)
		return err_set(err, ERR_RETRY, 0, PROGRAM ".timeout_millis must be %d to %d", TIMEOUT_MIN_MS, TIMEOUT_MAX_MS);
	fill_environment(&environment, file);
	const struct helper h = { .what = PROGRAM, .command = slice_of(google_member(executable, "command")), .environment = environment.all,
		.timeout_ms = (uint32_t)limit_ms, .stopping = rules->stopping };
	int result = helper_run(&h, &text, err);
	environment_done(&environment);
	if (result < 0)
		return -1;
	json_t *answer = google_answer(PROGRAM, buf_slice(&text), err);
	result = answer ? pick(answer, google_member(executable, "output_file"), to, err) : -1;
	google_json_wipe(answer);
	return result;
}

int google_subject_executable(const json_t *file, const struct google_rules *rules, struct buf *to, struct err *err)
{
	const json_t *executable = json_object_get(json_object_get(file, "credential_source"), "executable");
	const char *allowed = getenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES");
	if (!google_member(executable, "command"))
		return err_set(err, ERR_RETRY, 0, PROGRAM " has no \"command\"");
	if (!allowed || strcmp(allowed, "1") != 0)
		return err_set(err, ERR_RETRY, 0, PROGRAM " names a program, which runs only where GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1 is "
			"set for inletd (systemctl edit inletd: Environment=)");
	if (is_kept(google_member(executable, "output_file"), to))
		return 0;
	int result = run(file, executable, rules, to, err);
	if (result < 0)
		err->class = ERR_RETRY;
	return result;
}
