/* http_date.h - times in HTTP headers, read without the locale and the local time zone. Pure, any bytes. */
#ifndef INLET_NET_HTTP_DATE_H
#define INLET_NET_HTTP_DATE_H

#include "daemon/base/slice.h"

#include <stdint.h>

#define HTTP_WAIT_MAX_MS 86400000U /* a day: nobody is made to wait longer by a header */

/* The three forms of RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT" (two digits: the
 * century that is at most 50 years ahead of now_ms) and "Sun Nov  6 08:49:37 1994". Milliseconds since the epoch; 0: not a
 * date, or none after 1970. */
int64_t http_date_ms(struct slice text, int64_t now_ms);
/* Retry-After: seconds, or a date that lies ahead of now_ms. At most HTTP_WAIT_MAX_MS; 0: none, past or unreadable. */
uint32_t http_retry_after_ms(struct slice text, int64_t now_ms);

#endif
