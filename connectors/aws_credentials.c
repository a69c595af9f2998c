/* aws_credentials.c - buffers that are wiped. */
#include "connectors/aws_credentials.h"

void aws_credentials_done(struct aws_credentials *c)
{
	buf_wipe(&c->key_id);
	buf_wipe(&c->secret);
	buf_wipe(&c->token);
	*c = (struct aws_credentials){ 0 };
}

void aws_credentials_copy(struct aws_credentials *to, const struct aws_credentials *from)
{
	aws_credentials_done(to);
	(void)buf_grow(&to->key_id, from->key_id.len + 1);
	(void)buf_grow(&to->secret, from->secret.len + 1);
	(void)buf_grow(&to->token, from->token.len + 1);
	buf_add(&to->key_id, from->key_id.data, from->key_id.len);
	buf_add(&to->secret, from->secret.data, from->secret.len);
	buf_add(&to->token, from->token.data, from->token.len);
	to->expires_ms = from->expires_ms;
	memcpy(to->origin, from->origin, sizeof(to->origin));
}
