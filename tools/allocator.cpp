// What jemalloc is told at the start (its manual, TUNING); MALLOC_CONF in the environment is read after it.

/// Pages that are free for a second go back to the system, by a thread of the allocator's own: what a burst of
/// commands took is not held for the time after it.
extern "C" const char* malloc_conf;
const char* malloc_conf = "background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0";
