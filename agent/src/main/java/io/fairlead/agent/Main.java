package io.fairlead.agent;

import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import io.fairlead.runtime.ListenException;
import org.slf4j.LoggerFactory;

/**
 * The process {@code fairlead-agent}. Exit codes: 0, 1 = cannot start, 2 = wrong options, 3 =
 * another agent has this node's name, 70 = a fault.
 */
public final class Main {
  private Main() {}

  public static void main(String[] args) throws InterruptedException {
    int code = 0;
    var config = AgentConfig.load(args, System.getenv());
    try {
      switch (config.task()) {
        case CHECK -> {
          var findings = Agent.check(config);
          System.out.print(HostReport.text(findings));
          code = HostReport.exitCode(findings);
        }
        case UNINSTALL -> Agent.uninstall(config);
        case SERVE -> {
          try (var agent = Agent.start(config, Time.system())) {
            agent.awaitStopped();
            code = agent.exitCode();
          }
        }
      }
    } catch (GatewayException | ListenException e) {
      LoggerFactory.getLogger(Main.class)
          .atError()
          .setCause(e)
          .addKeyValue("event", "agent.cannot-start")
          .addKeyValue("why", e.getMessage())
          .log("Agent cannot start");
      code = 1;
    }
    if (code != 0) {
      System.exit(code);
    }
  }
}
