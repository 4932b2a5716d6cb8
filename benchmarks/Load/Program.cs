using OpenGradient.Engine.Load;

return await LoadRun.MainAsync(args);
