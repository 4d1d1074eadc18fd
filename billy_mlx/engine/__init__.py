"""The one thread that owns a model: what it is asked for, one step at a time, the writer's text before all else."""
