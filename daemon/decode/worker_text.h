/* worker_text.h - texts: any charset to UTF-8, NFC, LF, without a byte order mark. */
#ifndef INLET_DECODE_WORKER_TEXT_H
#define INLET_DECODE_WORKER_TEXT_H

#include "daemon/decode/worker.h"

int text_init(struct err *err); /* before the sandbox */
/* Sections FORM (where it differs from the original), FACTS {"charset":"utf-8","bom":false,"lines":3,"characters":20},
 * TEXT; canonical = SHA-256 of the whole canonical text. Lines count a last one without LF; characters are code points.
 * Runs in constant memory. ERR_REJECT: a byte that no charset explains, with its offset. */
int text_decode(struct task *t, struct err *err);

#endif
