"""The layers, at the paths that they have below `fastdeploy.model_executor`."""
