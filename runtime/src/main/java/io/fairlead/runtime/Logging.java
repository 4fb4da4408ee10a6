package io.fairlead.runtime;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Sets logback up: one appender to standard output. Before {@link #configure}, {@code logback.xml}
 * says text from INFO on.
 */
public final class Logging {
  private Logging() {}

  public enum Format {
    TEXT("text"),
    JSON("json");

    private final String text;

    Format(String text) {
      this.text = text;
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /**
   * Replaces whatever logback was configured with. Only for {@code main}: it changes the whole
   * process.
   */
  public static void configure(Format format, Level level) {
    if (!(LoggerFactory.getILoggerFactory() instanceof LoggerContext context)) {
      return; // another binding: its own configuration holds
    }
    context.reset();
    var appender = new ConsoleAppender<ILoggingEvent>();
    appender.setContext(context);
    appender.setName("stdout");
    appender.setEncoder(encoder(format, context));
    appender.start();
    var root = context.getLogger(Logger.ROOT_LOGGER_NAME);
    root.setLevel(ch.qos.logback.classic.Level.convertAnSLF4JLevel(level));
    root.addAppender(appender);
    // Clients that tell every reconnect at INFO; what matters of it our gateways say themselves.
    var chatty = Level.WARN.toInt() > level.toInt() ? Level.WARN : level;
    for (var name :
        new String[] {
          "org.apache.kafka", "kafka", "state", "io.grpc", "io.netty", "io.etcd", "io.vertx"
        }) {
      context.getLogger(name).setLevel(ch.qos.logback.classic.Level.convertAnSLF4JLevel(chatty));
    }
  }

  static Encoder<ILoggingEvent> encoder(Format format, LoggerContext context) {
    return switch (format) {
      case TEXT -> {
        var encoder = new PatternLayoutEncoder();
        encoder.setContext(context);
        encoder.setPattern(
            "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX,UTC} %-5level %logger{0} %msg %kvp{DOUBLE} [%thread]%n%ex");
        encoder.start();
        yield encoder;
      }
      case JSON -> {
        var encoder = new JsonEncoder();
        encoder.setContext(context);
        encoder.setWithSequenceNumber(false);
        encoder.setWithNanoseconds(false);
        encoder.setWithContext(false);
        encoder.setWithMessage(false);
        encoder.setWithArguments(false);
        encoder.setWithFormattedMessage(true);
        encoder.start();
        yield encoder;
      }
    };
  }
}
