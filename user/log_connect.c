/* Log lines through the console server. See log.h. */
#include "proto/task/task.h"
#include "user/console_client.h"
#include "user/env.h"
#include "user/log.h"
#include "user/log_route.h"

/* The last page of the region: servers use it from its beginning. */
#define LOG_CONNECT_VADDR (TASK_MODULE_VADDR - 4096)

static struct console_client log_connect_client;

static void log_connect_write(const char *text, uint32_t n)
{
	console_client_write_all(&log_connect_client, text, n);
}

int log_connect(void)
{
	int r = console_client_open(&log_connect_client, env_get()->name, CONSOLE_SERVER, 0, 0, LOG_CONNECT_VADDR);

	if (r == 0)
		log_route(log_connect_write);
	return r;
}
