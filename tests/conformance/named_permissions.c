/*
 * Another user opens a semaphore if its mode lets him read and write, shared memory as it is to be
 * used; O_EXCL tells of one that he may not open. He makes his own, and removes no others'.
 */
#include "named_check.h"

int main(void) {
  NEED_ROOT();
  umask(0);
  const struct {
    const char* name;
    mode_t mode;
    int error;
  } sems[] = {
      {"/private", 0600, EACCES}, {"/readable", 0644, EACCES}, {"/writable", 0622, EACCES},
      {"/group", 0660, EACCES},   {"/open", 0666, 0},
  };
  for (unsigned i = 0; i < sizeof sems / sizeof *sems; i++)
    CHECK_SEM(sem_open(sems[i].name, O_CREAT | O_EXCL, sems[i].mode, 1));
  CHECK_OK(shm_open("/memory", O_CREAT | O_EXCL | O_RDWR, 0644));
  pid_t child = fork_child();
  if (child == 0) {
    become(61234, 61234, 0);
    for (unsigned i = 0; i < sizeof sems / sizeof *sems; i++) {
      if (sems[i].error != 0)
        CHECK_NO_SEM(sem_open(sems[i].name, O_CREAT, 0600, 1), sems[i].error);
      else
        CHECK_EQ(sem_post(CHECK_SEM(sem_open(sems[i].name, 0))), 0);
      CHECK_NO_SEM(sem_open(sems[i].name, O_CREAT | O_EXCL, 0600, 1), EEXIST);
    }
    CHECK_ERRNO(shm_open("/memory", O_RDWR, 0), EACCES);
    CHECK_OK(shm_open("/memory", O_RDONLY, 0));
    /* In a sticky folder. */
    CHECK_ERRNO(shm_unlink("/memory"), EACCES);
    CHECK_ERRNO(sem_unlink("/open"), EACCES);
    NEW_SEM("/own", 1);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_VALUE(CHECK_SEM(sem_open("/open", 0)), 2);
  CHECK_EQ(status_of_sem("/own").st_uid, 61234);
  REMOVE_SEM("/own");
}
