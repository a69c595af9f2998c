/* problem.h - errors of the API as RFC 9457 problem documents. */
#ifndef INLET_API_PROBLEM_H
#define INLET_API_PROBLEM_H

#include "daemon/base/buf.h"
#include "daemon/base/err.h"

#define PROBLEM_TYPE "application/problem+json"

/* {"type":"about:blank","title":"Not Found","status":404,"detail":"…"}, a line. */
void problem_json(unsigned status, const char *detail, struct buf *to);

/* The status an err answers with: ERR_RETRY 503, ERR_FATAL 500, ERR_REJECT what the caller says (404, 409, …). */
unsigned problem_status(const struct err *err, unsigned reject_status);

#endif
