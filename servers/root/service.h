/* Root's service: decodes and answers calls (proto/root/root.h). */
#ifndef ROOT_SERVICE_H
#define ROOT_SERVICE_H

#include <stdint.h>
#include "servers/root/bootinfo.h"
#include "user/message.h"

void service_begin(const struct bootinfo *b);
/* A call with this badge: *m is read, and becomes the answer. Returns the result, 0 or a negative errno (then *m is empty). */
int service_call(uint64_t badge, uint64_t label, struct message *m);

#endif
