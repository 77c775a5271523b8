/*
 * Names of shared memory: slashes before one do not count, one within is EINVAL, and so is a name
 * that has nothing else; shm_unlink() answers ENOENT for both. 255 bytes fit, up to 259 are
 * ENAMETOOLONG, more are no name at all. "." and ".." are folders.
 */
#include "named_check.h"

static char* name_of(char* room, size_t length) {
  memset(room, 'x', length + 1);
  room[0] = '/';
  room[length + 1] = '\0';
  return room;
}

int main(void) {
  char good_long[300], too_long[300], longest[300], much_too_long[300], endless[6000];
  const struct {
    const char* name;
    int open_error, unlink_error;
  } refused[] = {
      {"", EINVAL, ENOENT},
      {"/", EINVAL, ENOENT},
      {"//", EINVAL, ENOENT},
      {"a/b", EINVAL, ENOENT},
      {"/a/b", EINVAL, ENOENT},
      {"/m/", EINVAL, ENOENT},
      {"/../m", EINVAL, ENOENT},
      {"/.", EINVAL, EISDIR},
      {"/..", EINVAL, EISDIR},
      {".", EINVAL, EISDIR},
      {name_of(too_long, 256), ENAMETOOLONG, ENAMETOOLONG},
      {name_of(longest, 259), ENAMETOOLONG, ENAMETOOLONG},
      {name_of(much_too_long, 260), EINVAL, ENOENT},
      {name_of(endless, 5000), EINVAL, ENOENT},
  };
  for (unsigned i = 0; i < sizeof refused / sizeof *refused; i++) {
    CHECK_ERRNO(shm_open(refused[i].name, O_CREAT | O_RDWR, 0600), refused[i].open_error);
    CHECK_ERRNO(shm_open(refused[i].name, O_RDWR, 0600), refused[i].open_error);
    CHECK_ERRNO(shm_unlink(refused[i].name), refused[i].unlink_error);
  }

  const char* good[] = {"/m",        "/...", "/ ",  "/\n",
                        "/\xff\xfe", "/a.",  "/.a", name_of(good_long, 255)};
  for (unsigned i = 0; i < sizeof good / sizeof *good; i++) {
    char slashes[310];
    snprintf(slashes, sizeof slashes, "//%s", good[i]);
    CHECK_ERRNO(shm_open(good[i], O_RDWR, 0), ENOENT);
    CHECK_ERRNO(shm_unlink(good[i]), ENOENT);
    int fd = NEW_MEMORY(good[i], 10);
    CHECK_ERRNO(shm_open(slashes, O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
    int other = CHECK_OK(shm_open(good[i] + 1, O_RDWR, 0));
    CHECK_EQ(status_of(other).st_ino, status_of(fd).st_ino);
    REMOVE_MEMORY(slashes);
    close(fd);
    close(other);
  }
  /* A semaphore of the same name is another thing. */
  NEW_SEM("/m", 1);
  CHECK_ERRNO(shm_open("/m", O_RDWR, 0), ENOENT);
  CHECK_ERRNO(shm_unlink("/m"), ENOENT);
  REMOVE_SEM("/m");
}
