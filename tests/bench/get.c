/* get.c - the floor under reading objects over HTTP: bench-get CONNECTIONS FILE sends a GET for each URL in FILE, one a line,
 * over that many connections of libcurl's that are kept open, and throws the bodies away. Nothing is signed, hashed or stored. */
#include <curl/curl.h>

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX 256
#define POLL_MS 1000

struct floor {
	FILE *urls;
	char *line;              /* getline()'s */
	size_t room;
	uint64_t asked, bytes, failed;
};

static size_t drop(char *p, size_t size, size_t n, void *arg)
{
	struct floor *f = arg;
	(void)p;
	f->bytes += size * n;
	return size * n;
}

/* The next URL on this handle; false: there is none left. */
static int ask(struct floor *f, CURLM *multi, CURL *easy)
{
	ssize_t n = getline(&f->line, &f->room, f->urls);
	if (n <= 0)
		return 0;
	f->line[strcspn(f->line, "\n")] = '\0';
	f->asked++;
	return curl_easy_setopt(easy, CURLOPT_URL, f->line) == CURLE_OK && curl_multi_add_handle(multi, easy) == CURLM_OK;
}

static void answered(struct floor *f, CURLM *multi, const CURLMsg *message)
{
	CURL *easy = message->easy_handle;
	long status = 0;
	(void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	if (message->data.result != CURLE_OK || status != 200) {
		f->failed++;
		(void)fprintf(stderr, "bench-get: %s, HTTP %ld\n", curl_easy_strerror(message->data.result), status);
	}
	(void)curl_multi_remove_handle(multi, easy);
	(void)ask(f, multi, easy);
}

static void run(struct floor *f, CURLM *multi)
{
	for (int running = 1; running;) {
		const CURLMsg *message;
		int left;
		(void)curl_multi_perform(multi, &running);
		while ((message = curl_multi_info_read(multi, &left))) {
			answered(f, multi, message);
			running = 1; /* what was just asked for */
		}
		if (running)
			(void)curl_multi_poll(multi, NULL, 0, POLL_MS, NULL);
	}
}

int main(int argc, char **argv)
{
	static CURL *easy[CONNECTIONS_MAX];
	struct floor f = { .urls = argc == 3 ? fopen(argv[2], "re") : NULL };
	unsigned long connections = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	if (!f.urls || connections == 0 || connections > CONNECTIONS_MAX || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		(void)fprintf(stderr, "usage: bench-get CONNECTIONS FILE\n");
		return 2;
	}
	CURLM *multi = curl_multi_init();
	(void)curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)connections);
	for (unsigned long i = 0; i < connections; i++) {
		easy[i] = curl_easy_init();
		(void)curl_easy_setopt(easy[i], CURLOPT_WRITEFUNCTION, drop);
		(void)curl_easy_setopt(easy[i], CURLOPT_WRITEDATA, &f);
		(void)curl_easy_setopt(easy[i], CURLOPT_PROXY, "");
		(void)ask(&f, multi, easy[i]);
	}
	run(&f, multi);
	(void)printf("%" PRIu64 " objects, %" PRIu64 " bytes, %" PRIu64 " failed\n", f.asked, f.bytes, f.failed);
	for (unsigned long i = 0; i < connections; i++)
		curl_easy_cleanup(easy[i]);
	(void)curl_multi_cleanup(multi);
	curl_global_cleanup();
	free(f.line);
	(void)fclose(f.urls);
	return f.failed || f.asked == 0;
}
