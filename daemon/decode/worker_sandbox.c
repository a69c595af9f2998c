/* worker_sandbox.c - rlimits, no_new_privs, Landlock and seccomp, put on by the worker itself, failing closed. */
#include "daemon/decode/worker_sandbox.h"

#include "daemon/base/cleanup.h"
#include "daemon/decode/protocol.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define DESCRIPTORS_MAX 32	    /* the socket, a job's two, and what libraries opened before */
#define FILE_BYTES_MAX (1ULL << 40) /* a job's result file is sealed at its own, smaller size */

static int lacks(struct err *err, int sys, const char *what, const char *cure)
{
	return err_set(err, ERR_FATAL, sys, "the decoder cannot put its sandbox on: %s; %s", what, cure);
}

/* ---- Landlock ---- */

/* As of ABI 6; older kernels know a prefix. Debian 12's header has the first member only. */
struct ruleset_attr {
	uint64_t access_fs;
	uint64_t access_net;
	uint64_t scoped;
};

static const char landlock_cure[] =
	"allow landlock_create_ruleset, landlock_add_rule, landlock_restrict_self and seccomp "
	"(SystemCallFilter= in the unit, or the container's seccomp profile)";

/* Everything that this kernel's Landlock can forbid is forbidden, with no exception. 1: on, 0: the kernel has none. */
static int landlock_put_on(struct err *err)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
		return 0;
	if (abi < 1)
		return lacks(err, errno, "landlock_create_ruleset is refused", landlock_cure);
	static const unsigned fs_rights[] = { 0, 13, 14, 15, 15, 16 }; /* how many, by ABI; 5 and later are alike */
	const struct ruleset_attr attr = {
		.access_fs = (1ULL << fs_rights[abi < 5 ? abi : 5]) - 1,
		.access_net = 3, /* bind and connect of TCP */
		.scoped = 3,	 /* abstract Unix sockets and signals */
	};
	size_t size = abi < 4 ? 8 : abi < 6 ? 16 : 24;
	CLEANUP(close_fdp) int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (ruleset < 0 || syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return lacks(err, errno, "Landlock is refused", landlock_cure);
	return 1;
}

/* ---- seccomp ---- */

static const char *const allowed[] = {
	"read", "readv", "pread64", "write", "writev", "pwrite64", "lseek", "close", "fstat", "poll", "ppoll",
	"munmap", "mremap", "madvise", "brk", "futex", "set_robust_list", "rseq", "membarrier", "sched_yield",
	"sched_getaffinity", "getcpu", "exit", "exit_group", "restart_syscall", "rt_sigaction",
	"rt_sigprocmask", "rt_sigreturn", "sigaltstack", "clock_gettime", "clock_getres", "clock_nanosleep",
	"nanosleep", "gettimeofday", "time", "getpid", "gettid", "getrandom",
};

/* Nothing in a decoder makes these by accident. */
static const char *const deadly[] = {
	"execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp", "mount",
	"umount2", "pivot_root", "chroot", "unshare", "setns", "move_mount", "open_tree", "fsopen", "bpf",
	"perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl",
	"add_key", "request_key", "init_module", "finit_module", "delete_module", "kexec_load",
	"kexec_file_load", "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups",
	"capset", "personality", "swapon", "reboot", "iopl", "ioperm", "acct", "quotactl",
};

/* Libraries try these and live without: each is told what fits. */
static const struct {
	const char *name;
	int error;
} refused[] = {
	{ "open", EACCES }, { "openat", EACCES }, { "openat2", EACCES }, { "stat", EACCES }, { "newfstatat", EACCES },
	{ "statx", EACCES }, { "access", EACCES }, { "faccessat", EACCES }, { "faccessat2", EACCES },
	{ "readlink", EACCES }, { "readlinkat", EACCES }, { "socket", EACCES }, { "socketpair", EACCES },
	{ "ioctl", ENOTTY },
	{ "clone3", ENOSYS }, /* seccomp cannot see its flags: glibc falls back to clone */
};

static int add(scmp_filter_ctx filter, uint32_t action, const char *name)
{
	int nr = seccomp_syscall_resolve_name(name);
	if (nr < 0) /* not on this architecture */
		return 0;
	return seccomp_rule_add(filter, action, nr, 0);
}

/* Rules that look at arguments. New threads, but no new process; mappings, but none both written and run; signals to
 * itself (abort); its own socket, and no other. */
static int add_conditional(scmp_filter_ctx f)
{
	const scmp_datum_t thread = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;
	const scmp_datum_t spaces = CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
				    CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_PTRACE;
	const scmp_datum_t self = (scmp_datum_t)getpid();
	int failed = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				      SCMP_A0(SCMP_CMP_MASKED_EQ, thread | spaces, thread));
	if (!failed)
		failed = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
					  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (!failed)
		failed = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
					  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (!failed)
		failed = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0));
	if (!failed)
		failed = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, self, 0));
	if (!failed)
		failed = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(sendmsg), 1, SCMP_A0(SCMP_CMP_EQ, WIRE_FD, 0));
	if (!failed)
		failed = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(recvmsg), 1, SCMP_A0(SCMP_CMP_EQ, WIRE_FD, 0));
	return failed;
}

static int add_all(scmp_filter_ctx f)
{
	int failed = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	for (size_t i = 0; !failed && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		failed = add(f, SCMP_ACT_ALLOW, allowed[i]);
	for (size_t i = 0; !failed && i < sizeof(deadly) / sizeof(deadly[0]); i++)
		failed = add(f, SCMP_ACT_KILL_PROCESS, deadly[i]);
	for (size_t i = 0; !failed && i < sizeof(refused) / sizeof(refused[0]); i++)
		failed = add(f, SCMP_ACT_ERRNO((uint32_t)refused[i].error), refused[i].name);
	return failed ? failed : add_conditional(f);
}

static int seccomp_put_on(struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return lacks(err, ENOMEM, "seccomp filter", "free memory");
	int failed = add_all(filter);
	if (!failed)
		failed = seccomp_load(filter);
	seccomp_release(filter);
	if (failed)
		return lacks(err, -failed, "seccomp is refused",
			     "use a kernel with CONFIG_SECCOMP_FILTER and allow seccomp and prctl");
	return 0;
}

/* ---- limits ---- */

/* What is mapped now; 0: unknown. */
static uint64_t mapped_bytes(void)
{
	char line[64];
	CLEANUP(fclosep) FILE *f = fopen("/proc/self/statm", "re");
	if (!f || !fgets(line, sizeof(line), f))
		return 0;
	return strtoull(line, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int limit(int which, uint64_t most, struct err *err)
{
	const struct rlimit r = { .rlim_cur = most, .rlim_max = most };
	if (setrlimit(which, &r) < 0)
		return lacks(err, errno, "setrlimit is refused", "allow it (setrlimit and prlimit64)");
	return 0;
}

static int limits_put_on(uint64_t memory_bytes, struct err *err)
{
	uint64_t mapped = mapped_bytes();
	if (!mapped)
		return lacks(err, errno, "/proc/self/statm cannot be read", "mount /proc (ProcSubset=pid is enough)");
	if (limit(RLIMIT_AS, mapped + memory_bytes, err) < 0 || limit(RLIMIT_NOFILE, DESCRIPTORS_MAX, err) < 0 ||
	    limit(RLIMIT_FSIZE, FILE_BYTES_MAX, err) < 0 || limit(RLIMIT_CORE, 0, err) < 0 ||
	    limit(RLIMIT_MEMLOCK, 0, err) < 0)
		return -1;
	return 0;
}

/* Landlock and a seccomp filter bind the calling thread and what it starts: an older thread would stay free. */
static int single_thread(struct err *err)
{
	CLEANUP(closedirp) DIR *tasks = opendir("/proc/self/task");
	int n = 0;
	for (struct dirent *e; tasks && (e = readdir(tasks));)
		n += e->d_name[0] != '.';
	if (n != 1)
		return lacks(err, 0, "a library has started threads",
			     "report this with the versions of libvips and libmagic");
	return 0;
}

/* The two that matter most, tried: a filter that was accepted but does not hold must not go unseen. */
static int prove(struct err *err)
{
	int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (file >= 0 || sock >= 0)
		return lacks(err, 0, "files or sockets can still be opened", "report this with the kernel's version");
	return 0;
}

int sandbox_put_on(uint64_t memory_bytes, struct err *err)
{
	if (single_thread(err) < 0 || limits_put_on(memory_bytes, err) < 0)
		return -1;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return lacks(err, errno, "prctl is refused", "allow it (@process)");
	int landlock = landlock_put_on(err);
	if (landlock < 0 || seccomp_put_on(err) < 0 || prove(err) < 0)
		return -1;
	return SANDBOX_SECCOMP | (landlock ? SANDBOX_LANDLOCK : 0);
}
