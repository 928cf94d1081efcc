"""What MONAI's evaluator needs to evaluate case by case: from a data list to files and figures."""
