/* Output on the kernel's debug console. */
#ifndef ROOTTASK_PRINT_H
#define ROOTTASK_PRINT_H

/* %s, and of 64-bit words %u (decimal) and %x (hexadecimal). */
void print(const char *format, ...);

#endif
