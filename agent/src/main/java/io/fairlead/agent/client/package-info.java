/** What the agent asks of others on its host: to run programs in Pods. */
@NullMarked
package io.fairlead.agent.client;

import org.jspecify.annotations.NullMarked;
