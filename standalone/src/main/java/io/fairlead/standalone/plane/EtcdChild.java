package io.fairlead.standalone.plane;

import io.fairlead.devkit.etcd.EtcdProcess;

/** The plane's etcd, as something that is watched. */
record EtcdChild(EtcdProcess process) implements Supervised.Child {
  /** Returns when it is healthy. */
  static EtcdChild start(EtcdProcess.Config config) {
    return new EtcdChild(EtcdProcess.start(config));
  }

  @Override
  public long pid() {
    return process.pid();
  }

  @Override
  public boolean isAlive() {
    return process.isAlive();
  }

  @Override
  public void stop() {
    process.stop();
  }
}
