/*
 * A library that is loaded later, and unloaded, makes IPC calls as the program itself does, in its
 * constructor and its destructor too; and so do calls by addresses that dlsym(3) gave.
 */
#include "process_check.h"
#include <dlfcn.h>

static void check_library(int flags) {
  char path[PATH_MAX + 32];
  snprintf(path, sizeof path, "%s", own_path());
  strcpy(strrchr(path, '/'), "/libdlopen_library_loaded.so");
  void* library = dlopen(path, flags);
  if (library == NULL) FAIL("dlopen: %s", dlerror());
  int (*find)(void) = (int (*)(void))dlsym(library, "find_queue");
  CHECK(find != NULL);
  CHECK_EQ(find(), 0);
  CHECK_EQ(dlclose(library), 0);
  struct {
    long type;
    char text[8];
  } text;
  CHECK_EQ(msgrcv(0, &text, sizeof text.text, 1, IPC_NOWAIT), 1); /* of its constructor */
  CHECK_EQ(msgrcv(0, &text, sizeof text.text, 2, IPC_NOWAIT), 1); /* of its destructor */
  CHECK_ERRNO(msgrcv(0, &text, sizeof text.text, 0, IPC_NOWAIT), ENOMSG);
}

static void check_symbol(void* library) {
  int (*get)(key_t, int) = (int (*)(key_t, int))dlsym(library, "msgget");
  CHECK(get != NULL);
  CHECK_EQ(get(KEY, 0), 0);
}

int main(void) {
  make_queue();
  for (int i = 0; i < 50; i++) {
    check_library(RTLD_LAZY);
    check_library(RTLD_NOW | RTLD_GLOBAL);
  }
  check_symbol(RTLD_DEFAULT);
  check_symbol(RTLD_NEXT);
  check_symbol(dlopen(NULL, RTLD_NOW));
}
