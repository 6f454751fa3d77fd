#include "servers/domain_manager/pod_cache.h"

uint64_t pod_cache_for(uint64_t target, uint64_t total, uint64_t cache, uint64_t entries)
{
	uint64_t populated = total - cache, wanted;

	if ((populated && !entries) || target < total)
		return cache;
	wanted = target - populated;
	return populated && wanted > entries ? entries : wanted;
}
