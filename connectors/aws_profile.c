/* aws_profile.c - AWS's INI, line by line, as slices of the text. */
#include "connectors/aws_profile.h"

#include "daemon/base/file.h"
#include "daemon/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <strings.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Without what follows a blank and '#' or ';'. */
static struct slice uncommented(struct slice s)
{
	for (size_t i = 0; i + 1 < s.len; i++) {
		if (is_blank(s.p[i]) && (s.p[i + 1] == '#' || s.p[i + 1] == ';')) {
			s.len = i;
			break;
		}
	}
	return slice_trim(s);
}

/* "[profile x] ; why": its name goes to *ret, an empty one where the section is of another kind. */
static int section_name(struct slice line, struct slice *ret)
{
	const char *end = memchr(line.p, ']', line.len);
	if (!end)
		return -1;
	struct slice after = slice_trim((struct slice){ end + 1, line.len - (size_t)(end + 1 - line.p) });
	if (after.len && after.p[0] != '#' && after.p[0] != ';')
		return -1;
	struct slice name = slice_trim((struct slice){ line.p + 1, (size_t)(end - line.p) - 1 });
	if (name.len == 0)
		return -1;
	const char *word = memchr(name.p, ' ', name.len);
	if (!word)
		word = memchr(name.p, '\t', name.len);
	struct slice kind = { name.p, word ? (size_t)(word - name.p) : 0 };
	if (slice_eq(kind, SLICE_LIT("profile")))
		name = slice_trim((struct slice){ word, name.len - kind.len });
	else if (slice_eq(kind, SLICE_LIT("sso-session")) || slice_eq(kind, SLICE_LIT("services")))
		name.len = 0;
	*ret = name;
	return 0;
}

static int add_profile(struct aws_profile_file *f, struct slice name)
{
	if (name.len == 0)
		return 0;
	if (f->profile_count >= AWS_PROFILE_SETTINGS_MAX)
		return -1;
	f->profiles = mem_resize(f->profiles, f->profile_count + 1, sizeof(*f->profiles));
	f->profiles[f->profile_count++] = name;
	return 0;
}

static int add_setting(struct aws_profile_file *f, struct slice profile, struct slice line)
{
	const char *equals = memchr(line.p, '=', line.len);
	if (!equals || f->count >= AWS_PROFILE_SETTINGS_MAX)
		return -1;
	struct slice name = slice_trim((struct slice){ line.p, (size_t)(equals - line.p) });
	if (name.len == 0)
		return -1;
	if (profile.len == 0)
		return 0; /* before the first section, or in one of another kind */
	if ((f->count & (f->count - 1)) == 0)
		f->settings = mem_resize(f->settings, f->count ? f->count * 2 : 1, sizeof(*f->settings));
	f->settings[f->count++] = (struct aws_setting){ profile, name,
		uncommented((struct slice){ equals + 1, line.len - (size_t)(equals + 1 - line.p) }) };
	return 0;
}

static int parse_line(struct aws_profile_file *f, struct slice line, struct slice *profile)
{
	if (line.len && is_blank(line.p[0]))
		return 0; /* nested below the setting above, or blank */
	line = slice_trim(line);
	if (line.len == 0 || line.p[0] == '#' || line.p[0] == ';')
		return 0;
	if (line.p[0] != '[')
		return add_setting(f, *profile, line);
	return section_name(line, profile) < 0 ? -1 : add_profile(f, *profile);
}

int aws_profile_file_parse(struct aws_profile_file *f, const char *path, struct slice text, struct err *err)
{
	struct slice profile = { 0 };
	size_t number = 0;
	*f = (struct aws_profile_file){ .path = mem_strdup(path), .found = true };
	(void)buf_grow(&f->text, text.len);
	buf_add(&f->text, text.p, text.len);
	for (size_t at = 0; at < f->text.len;) {
		const char *line = f->text.data + at;
		const char *end = memchr(line, '\n', f->text.len - at);
		size_t len = end ? (size_t)(end - line) : f->text.len - at;
		number++;
		if (parse_line(f, (struct slice){ line, len }, &profile) < 0) {
			aws_profile_file_done(f);
			return err_set(err, ERR_REJECT, 0, "%s, line %zu: neither a [profile], name = value nor a comment", path, number);
		}
		at += len + 1;
	}
	return 0;
}

int aws_profile_file_load(struct aws_profile_file *f, const char *path, struct err *err)
{
	struct buf text = { 0 };
	struct err why;
	*f = (struct aws_profile_file){ .path = mem_strdup(path) };
	(void)buf_grow(&text, 65536); /* growing later would leave a copy of secrets behind, in a rare, large file */
	int rc = file_slurp(AT_FDCWD, path, AWS_PROFILE_FILE_MAX, &text, &why);
	if (rc < 0) {
		buf_wipe(&text);
		if (why.sys == ENOENT || why.sys == ENOTDIR)
			return 0;
		aws_profile_file_done(f);
		return err_set(err, why.class, 0, "%s; the user of inletd must be able to read it", why.text);
	}
	free(f->path);
	rc = aws_profile_file_parse(f, path, buf_slice(&text), err);
	buf_wipe(&text);
	return rc;
}

void aws_profile_file_done(struct aws_profile_file *f)
{
	buf_wipe(&f->text);
	free(f->path);
	free(f->settings);
	free(f->profiles);
	*f = (struct aws_profile_file){ 0 };
}

bool aws_profile_file_has(const struct aws_profile_file *f, struct slice profile)
{
	for (size_t i = 0; i < f->profile_count; i++) {
		if (slice_eq(f->profiles[i], profile))
			return true;
	}
	return false;
}

struct slice aws_profile_file_get(const struct aws_profile_file *f, struct slice profile, const char *name)
{
	size_t len = strlen(name);
	for (size_t i = f->count; i-- > 0;) {
		const struct aws_setting *s = &f->settings[i];
		if (s->name.len == len && strncasecmp(s->name.p, name, len) == 0 && slice_eq(s->profile, profile))
			return s->value;
	}
	return (struct slice){ 0 };
}

int aws_profiles_load(struct aws_profiles *p, const char *credentials_path, const char *config_path, struct err *err)
{
	*p = (struct aws_profiles){ 0 };
	if (aws_profile_file_load(&p->credentials, credentials_path, err) < 0)
		return -1;
	if (config_path && aws_profile_file_load(&p->config, config_path, err) < 0) {
		aws_profiles_done(p);
		return -1;
	}
	return 0;
}

void aws_profiles_done(struct aws_profiles *p)
{
	aws_profile_file_done(&p->credentials);
	aws_profile_file_done(&p->config);
}

bool aws_profiles_has(const struct aws_profiles *p, struct slice profile)
{
	return aws_profile_file_has(&p->credentials, profile) || aws_profile_file_has(&p->config, profile);
}

struct slice aws_profiles_get(const struct aws_profiles *p, struct slice profile, const char *name)
{
	struct slice value = aws_profile_file_get(&p->credentials, profile, name);
	return value.len ? value : aws_profile_file_get(&p->config, profile, name);
}
