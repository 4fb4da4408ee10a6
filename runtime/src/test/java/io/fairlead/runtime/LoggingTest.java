package io.fairlead.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.read.ListAppender;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LoggingTest {
  private final LoggerContext context = context();

  private static LoggerContext context() {
    var context = new LoggerContext();
    context.setMDCAdapter(new LogbackMDCAdapter());
    return context;
  }

  private ILoggingEvent event() {
    Logger logger = context.getLogger("io.fairlead.Test");
    var events = new ListAppender<ILoggingEvent>();
    events.setContext(context);
    events.start();
    logger.addAppender(events);
    logger
        .atInfo()
        .addKeyValue("event", "service.created")
        .addKeyValue("object", "default/web \"x\"")
        .log("Service created");
    return events.list.getFirst();
  }

  @Test
  void textShowsKeysAndValues() {
    var line = encoded(Logging.Format.TEXT);
    assertThat(line)
        .contains(" INFO  Test Service created event=\"service.created\" object=")
        .endsWith("\n")
        .hasLineCount(1);
  }

  @Test
  void jsonIsOneObjectOnALine() {
    var line = encoded(Logging.Format.JSON);
    assertThat(line)
        .startsWith("{")
        .endsWith("}\n")
        .hasLineCount(1)
        .contains("\"level\":\"INFO\"", "\"event\":\"service.created\"")
        .contains("default\\/web \\\"x\\\"", "Service created");
  }

  private String encoded(Logging.Format format) {
    return new String(Logging.encoder(format, context).encode(event()), StandardCharsets.UTF_8);
  }
}
