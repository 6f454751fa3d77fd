/* Functions that compilers and libraries call and no header declares. */
#ifndef USER_LIBC_H
#define USER_LIBC_H

_Noreturn void __assert_fail(const char *what, const char *file, int line, const char *function);
_Noreturn void __stack_chk_fail(void);
_Noreturn void __chk_fail(void);

#endif
