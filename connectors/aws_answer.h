/* aws_answer.h - credentials out of what is answered: JSON of a process, a container endpoint and the instance; XML of STS. */
#ifndef INLET_CONNECTORS_AWS_ANSWER_H
#define INLET_CONNECTORS_AWS_ANSWER_H

#include "connectors/aws_credentials.h"
#include "daemon/base/err.h"
#include "daemon/base/slice.h"

#define AWS_ANSWER_MAX 65536U /* bytes of an answer */

/* {"AccessKeyId", "SecretAccessKey", "Token" or "SessionToken", "Expiration"}; with "Code" other than "Success", or no keys,
 * ERR_RETRY with Code and Message. origin stays as it is. Pure. */
int aws_answer_json(struct slice text, struct aws_credentials *ret, struct err *err);
/* <Credentials> of AssumeRole and its sisters. ERR_RETRY. */
int aws_answer_xml(struct slice text, struct aws_credentials *ret, struct err *err);
/* "AccessDenied: not authorized to ..." of an STS error answer; "" where it is none. For messages: cut, printable. */
void aws_answer_problem(struct slice text, char *ret_text, size_t size);

#endif
