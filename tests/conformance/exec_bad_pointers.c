/* exec with pointers to nowhere gives EFAULT to a program that uses IPC, and it goes on. */
#include "check.h"
#include <sys/msg.h>

static void check_exec(char* const* environment) {
  char* const arguments[] = {"true", NULL};
  CHECK_ERRNO(execve("/bin/true", arguments, environment), EFAULT);
}

static void check_all(void) {
  char* const bad_entry[] = {"A=1", (char*)8, NULL};
  check_exec((char* const*)8);
  check_exec(bad_entry);
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char* pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(pages != MAP_FAILED);
  CHECK_OK(munmap(pages + page, page));
  char** last = (char**)(pages + page) - 1;
  *last = "A=1";
  check_exec(last);
  memset(pages, 'x', page);
  char* const endless[] = {pages, NULL};
  check_exec(endless);
}

int main(void) {
  int id = CHECK_OK(msgget(IPC_PRIVATE, 0600));
  check_all();
  CHECK_OK(msgctl(id, IPC_RMID, NULL));
  return 0;
}
