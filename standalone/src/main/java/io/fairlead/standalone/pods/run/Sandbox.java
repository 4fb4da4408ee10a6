package io.fairlead.standalone.pods.run;

import io.fairlead.cli.plane.ProcessId;
import io.fairlead.devkit.process.Executables;
import io.fairlead.devkit.process.LaunchException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The words that put a program into a container, and another one beside it. All that runs as root
 * before the program's user is taken on (ip, unshare, sh, mount, setpriv) has a clean environment:
 * the container's own, which a user writes, comes only with the last step. Immutable.
 */
public final class Sandbox {
  /**
   * Outside the process namespace: hands on how the first process in it ended, as 128 + number
   * where a signal ended it ({@code unshare --fork} gets SIGKILL wrong), without a word of its own.
   */
  private static final String OUTSIDE =
      """
      exec 3>&2 2>/dev/null
      ( exec "$@" 2>&3 3>&- )
      exit $?
      """;

  /**
   * Inside the namespaces, as root: its own /proc, the machine's name, what is to be seen. What
   * follows has process id 1 in its place.
   */
  private static final String SETUP =
      """
      set -e
      mount -t proc proc /proc
      printf %s "$1" > /proc/sys/kernel/hostname
      shift
      while [ "$1" != -- ]; do mount --bind -o ro "$1" "$2"; shift 2; done
      shift
      exec "$@"
      """;

  /**
   * As root, in no namespace of the container yet. The number of the process outside may have been
   * given to another process since it was looked up: so its namespaces are opened first, and then
   * it must still be the one that began when it did.
   */
  private static final String ENTER =
      """
      gone() { echo "the container has ended" >&2; exit 126; }
      began() { shift 19; echo "$1"; }
      pid=$1 started=$2
      shift 2
      [ -e "/proc/$pid/ns/net" ] || gone
      exec 3<"/proc/$pid/ns/mnt" 4<"/proc/$pid/ns/uts" 5<"/proc/$pid/ns/ipc" \\
        6<"/proc/$pid/ns/net" 7<"/proc/$pid/ns/pid_for_children"
      read -r stat <"/proc/$pid/stat" || gone
      [ "$(began ${stat##*) })" = "$started" ] || gone
      exec "$@"
      """;

  private static final String VARIABLE = "FAIRLEAD_ENV_";

  private final RunUser user;
  private final String ip;
  private final String unshare;
  private final String nsenter;
  private final String setpriv;
  private final String env;
  private final String sh;

  private Sandbox(
      RunUser user,
      String ip,
      String unshare,
      String nsenter,
      String setpriv,
      String env,
      String sh) {
    this.user = user;
    this.ip = ip;
    this.unshare = unshare;
    this.nsenter = nsenter;
    this.setpriv = setpriv;
    this.env = env;
    this.sh = sh;
  }

  /**
   * Looks for the programs that it needs.
   *
   * @throws LaunchException one is not installed
   */
  public static Sandbox of(RunUser user) {
    return new Sandbox(
        user,
        Executables.require("ip", "iproute2").toString(),
        Executables.require("unshare", "util-linux").toString(),
        Executables.require("nsenter", "util-linux").toString(),
        Executables.require("setpriv", "util-linux").toString(),
        Executables.require("env", "coreutils").toString(),
        Executables.require("sh", "dash").toString());
  }

  RunUser user() {
    return user;
  }

  /**
   * What to run.
   *
   * @param words with the program first; it is looked for in the environment's PATH
   * @param environment all of it
   */
  record Task(List<String> words, Map<String, String> environment, Optional<String> workingDir) {
    public Task {
      words = List.copyOf(words);
    }
  }

  /**
   * What to start so that a task runs.
   *
   * @param environment to add to the clean one. It holds the task's own, since what stands in the
   *     words can be read by every user of the machine: of each variable name and value as the
   *     value, under a number, so that it means nothing to what runs as root
   */
  record Command(List<String> words, Map<String, String> environment) {
    public Command {
      words = List.copyOf(words);
      environment = Map.copyOf(environment);
    }
  }

  private static Command command(List<String> words, Task task) {
    var environment = new HashMap<String, String>();
    task.environment()
        .forEach(
            (name, value) -> environment.put(VARIABLE + environment.size(), name + "=" + value));
    return new Command(words, environment);
  }

  /**
   * The program with process id 1 in mount, pid, uts and ipc namespaces of its own and the given
   * network namespace. The process that these words start stays outside, hands on how it ended, and
   * takes all of it along when it is killed or its parent dies.
   *
   * @param namespace as {@code ip netns} lists it
   */
  Command container(String namespace, String hostname, List<Program.Mount> mounts, Task task) {
    var words = new ArrayList<String>();
    words.addAll(List.of(setpriv, "--pdeathsig", "KILL", "--"));
    words.addAll(List.of(ip, "netns", "exec", namespace));
    words.addAll(
        List.of(unshare, "--mount", "--uts", "--ipc", "--pid", "--", sh, "-c", OUTSIDE, "outside"));
    words.addAll(List.of(setpriv, "--pdeathsig", "KILL", "--", sh, "-c", SETUP, "setup"));
    words.add(hostname);
    for (var mount : mounts) {
      words.add(mount.source().toString());
      words.add(mount.target().toString());
    }
    words.add("--");
    words.addAll(asUser(task));
    return command(words, task);
  }

  /**
   * A program in the namespaces of a container. They are taken from the process outside, which is
   * root's: what the container's own process shows as its mount namespace may be one that a user
   * made, with another setpriv, and it would be run as root.
   *
   * @param outside what {@link #container} started; where it has ended meanwhile, the program ends
   *     with 126 and says so
   */
  Command beside(ProcessId outside, Task task) {
    var words = new ArrayList<String>();
    words.addAll(List.of(setpriv, "--pdeathsig", "KILL", "--"));
    words.addAll(
        List.of(sh, "-c", ENTER, "enter", Long.toString(outside.pid()), outside.started()));
    words.addAll(
        List.of(
            nsenter,
            "--mount=/proc/self/fd/3",
            "--uts=/proc/self/fd/4",
            "--ipc=/proc/self/fd/5",
            "--net=/proc/self/fd/6",
            "--pid=/proc/self/fd/7", // its children's: it is not in there itself
            "--"));
    words.addAll(asUser(task));
    return command(words, task);
  }

  /**
   * As the user: makes the variables of {@link Command} the only ones. Not with root's umask, which
   * may be strict: what a container's program writes is its user's affair. What {@link #ENTER} has
   * opened is closed.
   */
  private static String unpack(int variables) {
    return IntStream.range(0, variables)
        .mapToObj(i -> " \"$" + VARIABLE + i + "\"")
        .collect(
            Collectors.joining(
                "",
                "umask 022; exec 3<&- 4<&- 5<&- 6<&- 7<&-; dir=$1; shift; exec \"$0\" -i -C \"$dir\" --",
                " \"$@\""));
  }

  private List<String> asUser(Task task) {
    var words = new ArrayList<String>();
    words.add(setpriv);
    words.addAll(List.of("--reuid", Integer.toString(user.uid())));
    words.addAll(List.of("--regid", Integer.toString(user.gid())));
    words.addAll(
        List.of(
            "--clear-groups", // of docker, say, which is as good as root
            "--no-new-privs",
            "--bounding-set=-all",
            "--inh-caps=-all",
            "--ambient-caps=-all",
            "--pdeathsig", // a change of user has cleared the one of before
            "KILL",
            "--"));
    words.addAll(List.of(sh, "-c", unpack(task.environment().size()), env));
    words.add(task.workingDir().orElse("/"));
    if (task.words().getFirst().contains("=")) { // env would take it for a variable
      words.addAll(List.of(sh, "-c", "exec \"$0\" \"$@\""));
    }
    words.addAll(task.words());
    return words;
  }
}
