"""The paper's comparison, offline: tasks, arms, answers, scores, statistics, report."""
