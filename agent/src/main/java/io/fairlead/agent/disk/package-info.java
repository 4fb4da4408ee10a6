/** What survives the agent: its image and the image's position. */
@NullMarked
package io.fairlead.agent.disk;

import org.jspecify.annotations.NullMarked;
