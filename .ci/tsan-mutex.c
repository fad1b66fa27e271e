// ThreadSanitizer does not see what Swift's own libraries do. The quick path of a Mutex is compiled
// into our code and is seen; when threads meet there, they order themselves by futex(2) inside of
// libswiftSynchronization, and what the lock guards is reported as a race. Preloaded, this stands
// before those two functions and says what they are: an acquire and a release of the lock's word.
// Without it a report on guarded data says nothing; with it no suppression is needed.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
#define SELF __attribute__((swift_context))

typedef __attribute__((swiftcall)) void Lock(uint32_t thread, SELF void *handle);
typedef __attribute__((swiftcall)) void Unlock(SELF void *handle);

// Only what is built with ThreadSanitizer has them; every other program is left as it is.
__attribute__((weak)) void __tsan_acquire(void *word);
__attribute__((weak)) void __tsan_release(void *word);

static void *next(const char *name) {
  void *function = dlsym(RTLD_NEXT, name);
  if (!function) abort();
  return function;
}

__attribute__((swiftcall)) void lock(uint32_t thread, SELF void *handle) __asm__(LOCK);
__attribute__((swiftcall)) void lock(uint32_t thread, SELF void *handle) {
  ((Lock *)next(LOCK))(thread, handle);
  if (__tsan_acquire) __tsan_acquire(handle);
}

__attribute__((swiftcall)) void unlock(SELF void *handle) __asm__(UNLOCK);
__attribute__((swiftcall)) void unlock(SELF void *handle) {
  if (__tsan_release) __tsan_release(handle);
  ((Unlock *)next(UNLOCK))(handle);
}
