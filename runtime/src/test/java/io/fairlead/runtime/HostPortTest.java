package io.fairlead.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class HostPortTest {
  @ParameterizedTest
  @CsvSource({
    "127.0.0.1:7401, 127.0.0.1, 7401",
    "etcd-1.example:2379, etcd-1.example, 2379",
    "[::1]:7401, ::1, 7401",
    "[::]:0, ::, 0",
    ":7401, '', 7401",
  })
  void readsAndWritesTheSame(String text, String host, int port) {
    assertThat(HostPort.parse(text)).contains(new HostPort(host, port));
    assertThat(new HostPort(host, port)).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "7401",
        "localhost",
        "localhost:",
        "::1:7401",
        "[::1]",
        "[127.0.0.1]:1",
        "a:65536",
        "a b:1",
        "a:-1",
        "http://a:1",
        "[fe80::1%eth0]:1",
        "a:000001"
      })
  void refusesWhatIsNotHostAndPort(String text) {
    assertThat(HostPort.parse(text)).isEmpty();
  }
}
