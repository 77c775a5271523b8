// The kernel's side of a comparison: a fresh IPC namespace.

#ifndef DIFFERENTIAL_NAMESPACE_H
#define DIFFERENTIAL_NAMESPACE_H

#include <stdbool.h>

// Enters a new IPC namespace; without the privilege, one inside a new user namespace in which the
// user's own ids stay what they are. False with errno set.
bool namespace_enter_fresh(bool* needed_user_namespace);
// Gives up all capabilities that an IPC call asks for, also those of root, also across exec: a user
// who has to make a user namespace has too many in it.
bool namespace_drop_capabilities(void);

#endif
