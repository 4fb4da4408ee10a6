package io.fairlead.etcd;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.google.protobuf.ByteString;
import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.KeyValue;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

@Timeout(20)
class UnreadableKeysTest {
  private static final String PREFIX = EtcdKeys.CLAIMS;

  private final UnreadableKeys keys = new UnreadableKeys();
  private final Logger logger = (Logger) LoggerFactory.getLogger(UnreadableKeys.class);
  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();

  @BeforeEach
  void listen() {
    lines.start();
    logger.addAppender(lines);
  }

  @AfterEach
  void close() {
    logger.detachAppender(lines);
  }

  private static KeyValue kv(String key, String value, long revision) {
    return new KeyValue(
        io.etcd.jetcd.api.KeyValue.newBuilder()
            .setKey(ByteString.copyFromUtf8(PREFIX + key))
            .setValue(ByteString.copyFromUtf8(value))
            .setModRevision(revision)
            .build(),
        ByteSequence.EMPTY);
  }

  private List<String> readable(KeyValue... listed) {
    return keys.readable(
        PREFIX,
        List.of(listed),
        kv -> {
          var value = EtcdKeys.text(kv.getValue());
          if (value.startsWith("?")) {
            throw EtcdKeys.unreadable(EtcdKeys.text(kv.getKey()), value);
          }
          return value;
        });
  }

  @Test
  void theOthersCountAndEachIsToldOnceAsItIs() {
    assertThat(readable(kv("1", "one", 1), kv("2", "?", 2), kv("3", "three", 3)))
        .containsExactly("one", "three");
    assertThat(readable(kv("1", "one", 1), kv("2", "?", 2), kv("3", "three", 3))).hasSize(2);
    assertThat(lines.list).hasSize(1);
    assertThat(keys.size()).isEqualTo(1);
    assertThat(readable(kv("2", "?" + "x".repeat(1000), 9))).isEmpty();
    assertThat(lines.list).as("written again").hasSize(2);
    assertThat(lines.list.getLast().getKeyValuePairs().toString()).hasSizeLessThan(300);
    assertThat(readable(kv("2", "two", 10))).containsExactly("two");
    assertThat(keys.size()).isZero();
  }
}
