# shellcheck shell=bash
# What the scripts share; sourced, with $home = the top of the checkout. Bash 3.2 or newer.

say() { printf '%s\n' "$*" >&2; }

fail() {
  printf 'fairlead: %s\n' "$*" >&2
  exit 1
}

# --- JDKs --------------------------------------------------------------------------------------------------------------

# The first directory given that holds a JDK (with javac) of this feature version.
jdk_of() { # version directory...
  local version=$1 home
  shift
  for home; do
    if [ -n "$home" ] && [ -x "$home/bin/javac" ] && "$home/bin/javac" -version 2>&1 | grep -qE "^javac $version([.+-]|$)"; then
      (cd "$home" && pwd -P)
      return 0
    fi
  done
  return 1
}

find_jdk() { # version
  local version=$1 variable="JAVA${1}_HOME" toolchains
  toolchains=$(sed -n 's:.*<jdkHome>\(.*\)</jdkHome>.*:\1:p' ~/.m2/toolchains.xml 2>/dev/null)
  # shellcheck disable=SC2086
  jdk_of "$version" "${JAVA_HOME-}" "${!variable-}" /usr/lib/jvm/*"$version"* /usr/lib/jvm/* /opt/*jdk* /opt/java/* \
    ~/.sdkman/candidates/java/* ~/.jdks/* /Library/Java/JavaVirtualMachines/*/Contents/Home $toolchains
}

# Sets $jdk to a JDK 25, or ends.
need_jdk() {
  jdk=$(find_jdk 25) && return
  local package=openjdk-25-jdk-headless how
  how=$(install_command $package)
  if is_debian; then
    # Not all that are in use have it.
    if ! apt-cache policy $package 2>/dev/null | grep -q 'Candidate: [0-9]'; then
      how=""
    elif [ "$EUID" -eq 0 ]; then
      install_packages $package
      jdk=$(find_jdk 25) && return
    fi
  fi
  fail "no JDK 25 in JAVA_HOME, JAVA25_HOME, /usr/lib/jvm, /opt, ~/.sdkman, ~/.jdks or ~/.m2/toolchains.xml: install" \
    "one (${how:-Debian 14 and Ubuntu 25.10: $package}; else Temurin 25 of adoptium.net) or set JAVA25_HOME"
}

# --- programs and their packages ---------------------------------------------------------------------------------------

# Sets $family: debian, fedora, alpine, arch or suse, whose packages the machine has; macos; empty for others.
find_family() {
  [ -z "${family+set}" ] || return 0
  family=""
  case $OSTYPE in darwin*) family=macos ;; esac
  local file like
  # OS_RELEASE: another file, for tests
  for file in ${OS_RELEASE-/etc/os-release /usr/lib/os-release}; do
    [ -r "$file" ] || continue
    # The machine itself before those that it is like.
    like=$(sed -n 's/^ID=//p; s/^ID_LIKE=/ /p' "$file" | tr -d '"\047' | sort -r | tr '\n' ' ')
    for like in $like; do
      case $like in
        debian | ubuntu) family=debian ;;
        fedora | rhel | centos) family=fedora ;;
        alpine | arch) family=$like ;;
        suse | opensuse*) family=suse ;;
        *) continue ;;
      esac
      return
    done
  done
}

is_debian() {
  find_family
  [ "$family" = debian ] && command -v apt-get >/dev/null
}

# What this machine's distribution calls a package of Debian; the same where nothing else is said.
package_here() { # Debian's package
  case $family:$1 in
    debian:*) echo "$1" ;;
    alpine:etcd-client) echo etcd-ctl ;;
    suse:etcd-client) echo etcdctl ;;
    *:etcd-server | *:etcd-client) echo etcd ;;
    suse:libnftables1) echo libnftables1 ;;
    *:libnftables1) echo nftables ;;
    *:conntrack) echo conntrack-tools ;;
    fedora:iproute2) echo iproute ;;
    alpine:util-linux) echo "setpriv util-linux-misc" ;;
    alpine:bind9-dnsutils) echo bind-tools ;;
    arch:bind9-dnsutils) echo bind ;;
    *:bind9-dnsutils) echo bind-utils ;;
    *:iputils-ping) echo iputils ;;
    alpine:openjdk-25-jdk-headless) echo openjdk25-jdk ;;
    arch:openjdk-25-jdk-headless) echo jdk25-openjdk ;;
    macos:openjdk-25-jdk-headless) echo openjdk@25 ;;
    *:openjdk-25-jdk-headless) echo java-25-openjdk-devel ;;
    *) echo "$1" ;;
  esac
}

# The command that installs these here; nothing where that is not known.
install_command() { # Debian's package...
  local package packages="" command sudo=""
  find_family
  case $family in
    debian) command="apt-get install" ;;
    fedora) command="dnf install" ;;
    alpine) command="apk add" ;;
    arch) command="pacman -S --needed" ;;
    suse) command="zypper install" ;;
    macos) command="brew install" ;;
    *) return ;;
  esac
  [ "$EUID" -eq 0 ] || [ "$family" = macos ] || sudo="sudo "
  for package; do
    for package in $(package_here "$package"); do
      case " $packages " in *" $package "*) ;; *) packages="$packages $package" ;; esac
    done
  done
  echo "$sudo$command$packages"
}

# Sees to it that these are there: "program:package of Debian", or "library.so.N:package". As root on Debian or Ubuntu
# missing packages are installed; else the command that does is printed, and that is the end.
need() { # program:package...
  local entry program packages=() programs=() command
  for entry; do
    program=${entry%%:*}
    case $program in
      *.so.*) ldconfig=$(PATH=$PATH:/usr/sbin:/sbin ldconfig -p 2>/dev/null) && grep -qF "$program" <<<"$ldconfig" ;;
      *) PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$program" >/dev/null ;;
    esac && continue
    programs+=("$program") packages+=("${entry##*:}")
  done
  [ ${#packages[@]} -eq 0 ] && return
  command=$(install_command "${packages[@]}")
  [ -n "$command" ] || fail "missing: ${programs[*]} (Debian's packages: ${packages[*]}); please install them"
  is_debian && [ "$EUID" -eq 0 ] || fail "missing packages; please run: $command"
  install_packages "${packages[@]}"
}

install_packages() { # package..., as root on Debian
  say "installing with apt-get: $*"
  local log package apt=(apt-get -o DPkg::Lock::Timeout=120)
  log=$(mktemp)
  # The lists may be old or absent; if they cannot be had now, what is there may still do.
  "${apt[@]}" update >"$log" 2>&1
  if ! DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-install-recommends "$@" >>"$log" 2>&1; then
    tail -n 8 "$log" >&2
    fail "apt-get install $* failed: $log"
  fi
  rm -f "$log"
  for package; do
    # Debian starts a server of its own, on the ports of ours.
    if [ "$package" = etcd-server ] && [ -d /run/systemd/system ]; then
      systemctl disable --now etcd.service >/dev/null 2>&1 && say "stopped and disabled the service etcd that came with the package"
    fi
  done
}

# --- sudo --------------------------------------------------------------------------------------------------------------

# Under sudo, who called it and may write the checkout builds there, in his home: so that his checkout stays his, and root
# runs nothing that Maven downloads. Sets as_user, the words before a command that he is to run; empty without sudo.
as_user=()
find_user() {
  user=${SUDO_USER-}
  [ "$EUID" -eq 0 ] && [ -n "$user" ] && [ "$user" != root ] && runuser -u "$user" -- test -w "$home" || return 0
  user_home=$(getent passwd "$user" | cut -d: -f6)
  as_user=(runuser -u "$user" -- env HOME="$user_home" JAVA25_HOME="$jdk")
  give_back
}

# What root wrote becomes the user's. The user can put links anywhere meanwhile: so none is followed, each file is named
# from within its directory, which find has opened, and one that has a second name elsewhere is left alone.
give_back() {
  (
    cd "$home" && PATH=/usr/sbin:/usr/bin:/sbin:/bin find -P . -path ./.git -prune -o \
      \( -path './.dist*' -o -path './target*' -o -path './*/target*' \) -uid 0 \( -type d -o -links 1 \) \
      -execdir chown -h -- "$user" {} + 2>/dev/null
  )
}

# --- Maven -------------------------------------------------------------------------------------------------------------

# Runs Maven on a Java of choice. FAIRLEAD_MVN_OPTS: more options for it, e.g. '-o -Dmaven.repo.local=/tmp/repository'.
maven() { # java-home arguments...
  local java_home=$1 quiet="" options
  shift
  read -r -a options <<<"${FAIRLEAD_MVN_OPTS-}"
  # Maven's own libraries use what Java 25 warns about.
  [ "$java_home" != "$jdk" ] || quiet="--sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED"
  JAVA_HOME=$java_home MAVEN_OPTS="${MAVEN_OPTS-} $quiet" ${as_user[@]+"${as_user[@]}"} mvn -B -ntp ${options[@]+"${options[@]}"} "$@"
}

# --- the folder that the command runs from -----------------------------------------------------------------------------
#
# .dist/current -> .dist/<stamp>/   inputs      what it was built from: name, time and size of every file
#                                   java-home   where the JDK is
#                                   lib/*.jar   the class path; bench/*.jar what benchmarks add to it
#                                   java.args   an argument file of java: options for every JVM, and the class path
#                                   cli.args    more options for the JVM of a verb
#                                   bench.args  instead of java.args for benchmarks
#                                   cli.aot     what the JVM of a verb need not find out again (JEP 514, 515)
# Every process that runs from a folder holds a shared lock on it or names it in its command line.

# What the build reads. One line per file: any change shows, also of a file that got older or went away.
inputs() ( # jdk
  jdk=$1
  cd "$home" || exit
  case $OSTYPE in
    linux*) find pom.xml ./*/pom.xml ./*/src dev "$jdk/release" -type f -printf '%p %T@ %s\n' ;;
    *) find pom.xml ./*/pom.xml ./*/src dev "$jdk/release" -type f -exec stat -f '%N %Fm %z' {} + ;;
  esac | LC_ALL=C sort
)

# Whether the folder was built from what is there now.
is_current() { # folder
  [ -e "$1/java-home" ] || return
  local jdk
  jdk=$(<"$1/java-home") && [ -x "$jdk/bin/java" ] && inputs "$jdk" 2>/dev/null | cmp -s - "$1/inputs"
}

# flock(1) is not everywhere, Perl nearly.
lock() { # -x | -s | -xn, fd
  if command -v flock >/dev/null; then
    flock "$@"
  else
    perl -e 'use Fcntl ":flock"; my %how = ("-x" => LOCK_EX, "-s" => LOCK_SH, "-xn" => LOCK_EX | LOCK_NB);
      open(my $file, "<&=", $ARGV[1]) or die "$!\n"; exit(flock($file, $how{$ARGV[0]}) ? 0 : 1)' "$@"
  fi
}
