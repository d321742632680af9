/* Starts the process that candidates run in, asks it, and ends it when it takes too long.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "core/clock.h"
#include "infer/tune_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int pipe_closed_on_exec(int ends[2])
{
    if (pipe(ends) != 0) return -1;
    (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return 0;
}

/* Between fork and exec only what may be called there. */
static void become(char *const *command, int in, int out)
{
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0) _exit(127);
    (void)execv(command[0], command);
    _exit(127);
}

tpp_status tpp_tune_process_start(tpp_tune_process *p, char *const *command)
{
    int to[2], from[2];
    *p = (tpp_tune_process){0};
    if (pipe_closed_on_exec(to) != 0)
        return TPP_FAIL(TPP_EIO, "no pipe for a process: %s", strerror(errno));
    if (pipe_closed_on_exec(from) != 0) {
        (void)close(to[0]);
        (void)close(to[1]);
        return TPP_FAIL(TPP_EIO, "no pipe for a process: %s", strerror(errno));
    }
    const pid_t child = fork();
    const int why = errno;
    if (child == 0) become(command, to[0], from[1]);
    (void)close(to[0]);
    (void)close(from[1]);
    if (child < 0) {
        (void)close(to[1]);
        (void)close(from[0]);
        return TPP_FAIL(TPP_EIO, "no process for candidates: %s", strerror(why));
    }
    *p = (tpp_tune_process){.pid = child, .to = to[1], .from = from[0]};
    return TPP_OK;
}

/* Waits for the end; returns its wait status. */
static int bury(tpp_tune_process *p)
{
    int status = 0;
    while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR) continue;
    (void)close(p->to);
    (void)close(p->from);
    p->pid = 0;
    return status;
}

void tpp_tune_process_end(tpp_tune_process *p)
{
    if (p->pid <= 0) return;
    (void)kill(p->pid, SIGKILL); /* between two requests: nothing of it is worth keeping */
    (void)bury(p);
}

static const char *signal_name(int number)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},   {SIGILL, "SIGILL"},
                 {SIGFPE, "SIGFPE"},   {SIGABRT, "SIGABRT"}, {SIGKILL, "SIGKILL"},
                 {SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"},   {SIGPIPE, "SIGPIPE"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].number == number) return names[i].name;
    return "a signal";
}

static void tell_crash(tpp_tune_process *p)
{
    const int status = bury(p);
    if (WIFSIGNALED(status))
        (void)snprintf(p->line, sizeof(p->line), "crashed: %s (signal %d)",
                       signal_name(WTERMSIG(status)), WTERMSIG(status));
    else
        (void)snprintf(p->line, sizeof(p->line), "crashed: the process ended with code %d",
                       WEXITSTATUS(status));
}

static bool send_line(const tpp_tune_process *p, const char *request)
{
    char line[TPP_TUNE_LINE + 2];
    const int n = snprintf(line, sizeof(line), "%s\n", request);
    if (n < 0 || (size_t)n >= sizeof(line)) return false;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    (void)sigaction(SIGPIPE, &ignore, &before); /* it may have died since */
    const bool sent = write(p->to, line, (size_t)n) == n;
    (void)sigaction(SIGPIPE, &before, NULL);
    return sent;
}

/* 1: a whole line; 0: the time is up; -1: the process has closed its end. */
static int receive_line(tpp_tune_process *p, double until)
{
    size_t used = 0;
    for (;;) {
        const double left = until - tpp_clock_seconds();
        struct pollfd from = {.fd = p->from, .events = POLLIN};
        const int ready = left > 0 ? poll(&from, 1, (int)(left * 1e3) + 1) : 0;
        if (ready < 0 && errno == EINTR) continue;
        if (ready == 0) return 0;
        const ssize_t n = read(p->from, p->line + used, sizeof(p->line) - 1 - used);
        if (n <= 0) return -1;
        used += (size_t)n;
        p->line[used] = '\0';
        char *end = strchr(p->line, '\n');
        if (end == NULL && used < sizeof(p->line) - 1) continue;
        if (end != NULL) *end = '\0';
        return 1;
    }
}

bool tpp_tune_process_ask(tpp_tune_process *p, const char *request, double limit_s)
{
    const int got = send_line(p, request) ? receive_line(p, tpp_clock_seconds() + limit_s) : -1;
    if (got > 0) return true;
    if (got == 0) {
        (void)kill(p->pid, SIGKILL);
        (void)bury(p);
        (void)snprintf(p->line, sizeof(p->line), "hung: no answer in %g s", limit_s);
    } else {
        tell_crash(p);
    }
    return false;
}
