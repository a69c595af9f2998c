/* connector.c - the table of source kinds. */
#include "connectors/connector.h"

static const struct connector_ops *const connectors[] = {
	&folder_connector,
	&gcs_connector,
	&s3_connector,
};

const struct connector_ops *connector_find(const char *scheme)
{
	for (size_t i = 0; i < sizeof(connectors) / sizeof(*connectors); i++) {
		if (strcmp(connectors[i]->scheme, scheme) == 0)
			return connectors[i];
	}
	return NULL;
}
