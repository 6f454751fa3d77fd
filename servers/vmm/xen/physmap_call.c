#include "servers/vmm/xen/physmap_call.h"

#include <errno.h>
#include "cpu_policy/cpu_policy.h"
#include "proto/domain/domain.h"
#include "proto/task/task.h"
#include "user/message.h"
#include <xen/xen.h>
#include <xen/grant_table.h>

static int call(struct message *m, uint64_t label, unsigned n, const uint64_t *words)
{
	message_begin(m);
	for (unsigned i = 0; i < n; i++)
		message_put(m, words[i]);
	return message_call(m, TASK_SLOT_DOMAINS, label);
}

int32_t physmap_call_foreign(uint32_t from, const struct physmap_foreign *page, const uint64_t *gone)
{
	return message_call_short(TASK_SLOT_DOMAINS, DOMAIN_VMM_FOREIGN, 4, (const uint64_t[4]){page->gfn, from, page->from_gfn, gone ? *gone + 1 : 0});
}

void physmap_call_foreigns(uint32_t from, const struct physmap_foreign *page, unsigned n, int32_t *error, const uint64_t *gone, unsigned gones)
{
	struct message m;
	int r;

	message_begin(&m);
	message_put(&m, from);
	message_put(&m, gones);
	message_put_bytes(&m, gone, gones * sizeof(*gone));
	message_put_bytes(&m, page, n * sizeof(*page));
	r = message_call(&m, TASK_SLOT_DOMAINS, DOMAIN_VMM_FOREIGN_MANY);
	for (unsigned i = 0; i < n; i++)
		error[i] = r ? r : (int32_t)(int64_t)message_get(&m);
}

int64_t physmap_call_remove(uint64_t gfn)
{
	return message_call_short(TASK_SLOT_DOMAINS, DOMAIN_VMM_REMOVE, 1, (const uint64_t[4]){gfn});
}

unsigned physmap_call_balloon(bool out, const uint64_t *gfn, unsigned n)
{
	struct message m;
	uint64_t done;

	if (call(&m, out ? DOMAIN_VMM_OUT : DOMAIN_VMM_IN, n, gfn))
		return 0;
	done = message_get(&m);
	return done < n ? (unsigned)done : n;
}

int64_t physmap_call_need(uint64_t gfn, uint64_t *what)
{
	struct message m;
	int r = call(&m, DOMAIN_VMM_NEED, 1, &gfn);

	*what = r ? 0 : message_get(&m);
	return r;
}

int64_t physmap_call_reservation(uint64_t *pages, uint64_t *most)
{
	struct message m;
	int r = call(&m, DOMAIN_VMM_RESERVATION, 0, NULL);

	*pages = message_get(&m);
	*most = message_get(&m);
	return r;
}

int64_t physmap_call_grant_frame(uint32_t index, uint64_t gfn)
{
	const uint64_t w[] = {index, gfn};
	struct message m;

	return call(&m, DOMAIN_VMM_GRANT_PLACE, 2, w);
}

int64_t physmap_call_grant_size(uint32_t *frames, uint32_t *most)
{
	struct message m;
	int r = call(&m, DOMAIN_VMM_GRANT_SIZE, 0, NULL);

	*frames = (uint32_t)message_get(&m);
	*most = (uint32_t)message_get(&m);
	return r;
}

void physmap_call_grant_map(const struct domain_map *map, unsigned n, int16_t status[DOMAIN_MAPS], uint32_t handle[DOMAIN_MAPS])
{
	struct message m;
	int r;

	message_begin(&m);
	message_put_bytes(&m, map, n * sizeof(*map));
	r = message_call(&m, TASK_SLOT_DOMAINS, DOMAIN_VMM_GRANT_MAP);
	for (unsigned i = 0; i < n; i++) {
		status[i] = r ? GNTST_general_error : (int16_t)(int64_t)message_get(&m);
		handle[i] = r ? 0 : (uint32_t)message_get(&m);
	}
}

/* n times this much, and what became of each in a word. */
static void call_each(uint64_t label, const void *what, size_t size, unsigned n, int16_t *status)
{
	struct message m;
	int r;

	message_begin(&m);
	message_put_bytes(&m, what, n * size);
	r = message_call(&m, TASK_SLOT_DOMAINS, label);
	for (unsigned i = 0; i < n; i++)
		status[i] = r ? GNTST_general_error : (int16_t)(int64_t)message_get(&m);
}

void physmap_call_grant_unmap(const struct physmap_unmap *unmap, unsigned n, int16_t status[DOMAIN_MAPS])
{
	call_each(DOMAIN_VMM_GRANT_UNMAP, unmap, sizeof(*unmap), n, status);
}

void physmap_call_grant_copy(const struct domain_copy *copy, unsigned n, int16_t status[DOMAIN_COPIES])
{
	call_each(DOMAIN_VMM_GRANT_COPY, copy, sizeof(*copy), n, status);
}

int64_t physmap_call_e820(uint32_t first, uint32_t *all, struct physmap_e820 out[30], uint32_t *n)
{
	const uint64_t w[] = {first};
	struct message m;
	int r = call(&m, DOMAIN_VMM_E820, 1, w);

	*n = 0;
	if (r)
		return r;
	*all = (uint32_t)message_get(&m);
	while (*n < 30 && message_left(&m) >= 3) {
		out[*n].addr = message_get(&m);
		out[*n].size = message_get(&m);
		out[(*n)++].type = (uint32_t)message_get(&m);
	}
	return 0;
}

int physmap_call_cpu_policy(struct cpu_policy *p)
{
	const uint64_t words = sizeof(*p) / sizeof(uint64_t);
	struct message m;

	for (uint64_t i = 0; i < words;) {
		uint64_t n = words - i < DOMAIN_POLICY_WORDS ? words - i : DOMAIN_POLICY_WORDS;
		int r = call(&m, DOMAIN_VMM_CPU_POLICY, 1, &i);

		if (r)
			return r;
		if (!message_get_bytes(&m, (uint8_t *)p + i * sizeof(uint64_t), n * sizeof(uint64_t)))
			return -EIO;
		i += n;
	}
	return 0;
}
