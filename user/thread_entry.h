/* Between start.S and thread.c. */
#ifndef USER_THREAD_ENTRY_H
#define USER_THREAD_ENTRY_H

struct thread_start;

void thread_entry(void); /* an address only */
_Noreturn void thread_main(struct thread_start *s);

#endif
