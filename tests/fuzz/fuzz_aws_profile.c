/* fuzz_aws_profile.c - any bytes as ~/.aws/credentials, and as a credential_process. What is found lies inside the text. */
#include "connectors/helper.h"
#include "connectors/aws_profile.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(const struct aws_profile_file *f, struct slice s)
{
	if (s.len && (s.p < f->text.data || s.p + s.len > f->text.data + f->text.len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct aws_profile_file f;
	struct err err;
	char **words = NULL;
	if (aws_profile_file_parse(&f, "file", text, &err) == 0) {
		for (size_t i = 0; i < f.count; i++) {
			check_inside(&f, f.settings[i].profile);
			check_inside(&f, f.settings[i].name);
			check_inside(&f, f.settings[i].value);
		}
		for (size_t i = 0; i < f.profile_count; i++) {
			if (!aws_profile_file_has(&f, f.profiles[i]))
				abort();
		}
		(void)aws_profile_file_get(&f, SLICE_LIT("default"), "region");
		aws_profile_file_done(&f);
	}
	if (helper_words(text, &words) == 0) {
		size_t count = 0, len = 0;
		for (; words[count]; count++)
			len += strlen(words[count]);
		if (count == 0 || count > HELPER_WORDS || len > size)
			abort();
		free(words);
	}
	return 0;
}
