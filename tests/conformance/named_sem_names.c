/*
 * Slashes before a name do not count, one within is EINVAL, and so is a name that has nothing else;
 * sem_unlink() answers ENOENT for both. Up to 251 bytes fit; up to 255 are ENAMETOOLONG, as the
 * file's name is longer by "sem."; more are no name at all.
 */
#include "named_check.h"

static char* name_of(char* room, size_t length) {
  memset(room, 'x', length + 1);
  room[0] = '/';
  room[length + 1] = '\0';
  return room;
}

int main(void) {
  char good_long[300], too_long[300], much_too_long[300], endless[6000];
  const struct {
    const char* name;
    int open_error, unlink_error;
  } refused[] = {
      {"", EINVAL, ENOENT},
      {"/", EINVAL, ENOENT},
      {"//", EINVAL, ENOENT},
      {"a/b", EINVAL, ENOENT},
      {"/a/b", EINVAL, ENOENT},
      {"/s/", EINVAL, ENOENT},
      {"/./s", EINVAL, ENOENT},
      {"/../s", EINVAL, ENOENT},
      {name_of(too_long, 252), ENAMETOOLONG, ENAMETOOLONG},
      {name_of(too_long, 255), ENAMETOOLONG, ENAMETOOLONG},
      {name_of(much_too_long, 256), EINVAL, ENOENT},
      {name_of(endless, 5000), EINVAL, ENOENT},
  };
  for (unsigned i = 0; i < sizeof refused / sizeof *refused; i++) {
    CHECK_NO_SEM(sem_open(refused[i].name, O_CREAT, 0600, 1), refused[i].open_error);
    CHECK_NO_SEM(sem_open(refused[i].name, O_CREAT | O_EXCL, 0600, 1), refused[i].open_error);
    CHECK_NO_SEM(sem_open(refused[i].name, 0), refused[i].open_error);
    CHECK_ERRNO(sem_unlink(refused[i].name), refused[i].unlink_error);
  }

  const char* good[] = {"/s",  "/.",        "/..", "/...",   "/ ",
                        "/\n", "/\xff\xfe", "/a.", "/sem.s", name_of(good_long, 251)};
  for (unsigned i = 0; i < sizeof good / sizeof *good; i++) {
    char slashes[310];
    snprintf(slashes, sizeof slashes, "//%s", good[i]);
    sem_t* sem = NEW_SEM(good[i], 7);
    CHECK_NO_SEM(sem_open(slashes, O_CREAT | O_EXCL, 0600, 1), EEXIST);
    CHECK_NO_SEM(sem_open(good[i] + 1, O_CREAT | O_EXCL, 0600, 1), EEXIST);
    sem_t* other = CHECK_SEM(sem_open(good[i] + 1, 0));
    CHECK_EQ(sem_post(other), 0);
    CHECK_VALUE(sem, 8);
    CLOSE_SEM(sem);
    CLOSE_SEM(other);
    REMOVE_SEM(slashes);
    CHECK_NO_SEM(sem_open(good[i], 0), ENOENT);
    CHECK_ERRNO(sem_unlink(good[i]), ENOENT);
  }
  /* Names differ in case, and one is not the other's beginning. */
  NEW_SEM("/name", 1);
  CHECK_NO_SEM(sem_open("/Name", 0), ENOENT);
  CHECK_NO_SEM(sem_open("/nam", 0), ENOENT);
  REMOVE_SEM("/name");
}
