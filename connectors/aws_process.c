/* aws_process.c - runs a profile's credential_process. */
#include "connectors/aws_process.h"

#include "connectors/aws_answer.h"
#include "connectors/helper.h"

int aws_process_run(struct slice command, const atomic_bool *stopping, struct aws_credentials *ret, struct err *err)
{
	const struct helper h = { .what = "credential_process", .command = command, .timeout_ms = AWS_PROCESS_MS, .stopping = stopping };
	struct buf answer = { 0 };
	int rc = helper_run(&h, &answer, err);
	if (rc == 0 && aws_answer_json(buf_slice(&answer), ret, err) < 0)
		rc = err_wrap(err, "credential_process");
	buf_wipe(&answer);
	return rc;
}
