/* fuzz_aws_answer.c - any bytes as an answer of STS, a metadata service or a credential_process. Keys without a secret never come. */
#include "connectors/aws_answer.h"

#include "daemon/base/iso_time.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int rc, const struct aws_credentials *c)
{
	if (rc == 0 && (c->key_id.len == 0 || c->secret.len == 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct aws_credentials c = { 0 };
	struct err err;
	char problem[128];
	int64_t ms;
	check(aws_answer_json(text, &c, &err), &c);
	aws_credentials_done(&c);
	check(aws_answer_xml(text, &c, &err), &c);
	aws_credentials_done(&c);
	aws_answer_problem(text, problem, sizeof(problem));
	if (strlen(problem) >= sizeof(problem))
		abort();
	(void)iso_time_parse(text, &ms);
	return 0;
}
